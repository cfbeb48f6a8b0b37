import { TandemError } from '@tandem/core';
import { SigningKey } from './signing-key';

class Store {
  secrets: (Buffer | TandemError)[] = [];
  readonly listeners = new Set<() => void>();

  async secret(): Promise<Buffer> {
    const next = this.secrets.shift();
    if (next instanceof Buffer) return next;
    throw next ?? new Error('read once too often');
  }

  onReset(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

describe('The key that tokens are signed with', () => {
  const store = new Store();
  const key = new SigningKey(store);
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  const away = new TandemError('STORE_UNAVAILABLE');
  const bytes = async () => (await key.get()).export();

  it('is read once', async () => {
    store.secrets = [one];
    expect(await Promise.all([bytes(), bytes()])).toEqual([one, one]);
    expect(await bytes()).toEqual(one);
  });

  it('is read again after the store lost everything, as often as it takes', async () => {
    store.secrets = [away, two];
    for (const reset of store.listeners) reset();
    await expect(key.get()).rejects.toBe(away);
    expect(await bytes()).toEqual(two);
    expect(await bytes()).toEqual(two);
  });

  it('listens no longer once it is closed', () => {
    key.close();
    expect(store.listeners.size).toBe(0);
  });
});
