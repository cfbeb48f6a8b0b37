import { Counter, MetricsRegistry, type PreSharedKey } from '@tandem/core';
import { FakeClock } from '../endpoint/testing/fake-clock';
import { FakeRandom } from '../endpoint/testing/fake-random';
import type { DtlsConnection, OfferedKey } from './engine';
import { PskKeys } from './psk-keys';

const KEY: PreSharedKey = { key: Buffer.alloc(16, 1), credentials: { id: 'credentials', version: 1 } };

let clock: FakeClock;
let metrics: MetricsRegistry;
/** What the store is asked and has not answered yet. */
let asked: { readonly identity: string; answer(key?: PreSharedKey): void; fail(): void }[];
let keys: PskKeys;
beforeEach(() => {
  clock = new FakeClock();
  metrics = new MetricsRegistry();
  asked = [];
  const find = (identity: string) =>
    new Promise<PreSharedKey | undefined>((answer, reject) => {
      asked.push({ identity, answer, fail: () => reject(new Error('away')) });
    });
  keys = new PskKeys({ find, max: 2, clock, random: new FakeRandom(1), metrics, tooMany: new Counter() });
});
const running = () => metrics.value('tandem_dtls_key_lookups');

describe('Keys for handshakes', () => {
  it('are read once for all who ask for one meanwhile, and again by who asks later', async () => {
    const both = [keys.find('one'), keys.find('one')];
    expect(asked).toHaveLength(1);
    asked[0]?.answer(KEY);
    expect(await Promise.all(both)).toEqual([
      { identity: 'one', ...KEY },
      { identity: 'one', ...KEY },
    ]);
    await clock.settle();
    void keys.find('one');
    expect(asked).toHaveLength(2);
  });

  it('of an identity that nobody has are keys that nobody has', async () => {
    const found = keys.find('nobody');
    asked[0]?.answer(undefined);
    expect(await found).toEqual({ identity: 'nobody', key: expect.any(Buffer), credentials: undefined });
    expect((await found)?.key).toHaveLength(32);
  });

  it('are looked up for so many identities at the same time; one more has to come again', async () => {
    void keys.find('one');
    const second = keys.find('two');
    expect(keys.find('three')).toBeUndefined();
    expect(running()).toBe(2);
    asked[1]?.answer(KEY);
    await second;
    await clock.settle();
    expect(keys.find('three')).toBeDefined();
  });

  it('are none where the store fails, or does not answer within two seconds, and no timer stays', async () => {
    const failed = keys.find('one');
    asked[0]?.fail();
    await expect(failed).rejects.toThrow('away');
    const late = keys.find('two');
    const rejected = expect(late).rejects.toThrow('the store does not answer');
    await clock.advance(2_000);
    await rejected;
    await clock.settle();
    expect(running()).toBe(0);
    asked[1]?.answer(KEY);
    await clock.settle();
    expect(clock.timers).toBe(0);
  });

  it('are looked up once for a handshake: to any other identity that it names its key is a wrong one', async () => {
    const offered: string[] = [];
    const connection = { wantsKey: true, offerKey: ({ identity }: OfferedKey) => void offered.push(identity) };
    const prepare = (identity: string) => keys.prepare(connection as unknown as DtlsConnection, keyExchange(identity));
    const prepared = prepare('one');
    asked[0]?.answer(KEY);
    expect(await prepared).toBe(true);
    for (let n = 0; n < 10; n++) expect(prepare(`guess ${n}`)).toBeUndefined();
    expect([asked.length, offered]).toEqual([1, ['one']]);
  });
});

/** A datagram in which a client names an identity (RFC 4279 section 2). */
function keyExchange(identity: string): Buffer {
  const name = Buffer.from(identity);
  const body = Buffer.concat([Buffer.from([name.length >> 8, name.length & 255]), name]);
  const record = Buffer.alloc(25);
  record.set([22, 0xfe, 0xfd]);
  record.writeUInt16BE(12 + body.length, 11);
  record.writeUInt8(16, 13);
  for (const at of [14, 22]) record.writeUIntBE(body.length, at, 3);
  return Buffer.concat([record, body]);
}
