import { TicketKeys } from './ticket-keys';

const DAY = 86_400_000;

describe('The keys of tickets', () => {
  it('are the same wherever the secret and the time are, and others with another secret', () => {
    const [one, other, foreign] = [0, 0, 1].map((secret) => {
      const keys = new TicketKeys(86_400, () => 10 * DAY);
      keys.use(Buffer.alloc(32, secret));
      return keys.current;
    });
    expect(one).toEqual(other);
    expect(one?.name.equals(foreign?.name ?? Buffer.alloc(16))).toBe(false);
    expect([one?.name.length, one?.cipher.length, one?.mac.length]).toEqual([16, 32, 32]);
  });

  it('seal for as long as a session may be resumed, and open for as long again', () => {
    let now = 10 * DAY;
    const keys = new TicketKeys(86_400, () => now);
    keys.use(Buffer.alloc(32));
    const first = keys.current;
    const name = first?.name ?? Buffer.alloc(16);
    now += DAY - 1;
    expect(keys.current).toBe(first);
    now += 1;
    expect(keys.current).not.toBe(first);
    now += DAY - 1;
    expect(keys.named(name)).toBe(first);
    now += 1;
    expect(keys.named(name)).toBeUndefined();
  });

  it('of a process whose clock is ahead open as well', () => {
    const keysAt = (now: number) => {
      const keys = new TicketKeys(86_400, () => now);
      keys.use(Buffer.alloc(32));
      return keys;
    };
    const ahead = keysAt(11 * DAY).current;
    expect(keysAt(11 * DAY - 1).named(ahead?.name ?? Buffer.alloc(16))).toEqual(ahead);
  });

  it('are none without a secret', () => {
    const keys = new TicketKeys(86_400, () => 0);
    expect([keys.current, keys.named(Buffer.alloc(16))]).toEqual([undefined, undefined]);
  });
});
