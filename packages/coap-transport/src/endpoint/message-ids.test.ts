import { MessageIds } from './message-ids';
import { hashText } from './peer';
import { FakeRandom } from './testing/fake-random';
import { Harness } from './testing/harness';

const LIFETIME = 247_000;
const hashOf = (name: string) => hashText(name, 99);

/** All ids a peer gets at `now`. */
function drain(ids: MessageIds, hash: number, now: number): number[] {
  const given: number[] = [];
  for (let id = ids.next(hash, now); id !== -1; id = ids.next(hash, now)) given.push(id);
  return given;
}

describe('message ids (RFC 7252 section 4.4)', () => {
  it('none comes twice within EXCHANGE_LIFETIME, whatever the start', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const ids = new MessageIds(new FakeRandom(seed), LIFETIME);
      const given = drain(ids, 0, 500);
      expect(new Set(given).size).toBe(given.length);
      expect(given.length).toBeGreaterThan(53_000);
      expect(ids.next(0, 500 + LIFETIME - 1)).toBe(-1);
      expect(ids.next(0, 500 + LIFETIME + 2_000)).not.toBe(-1);
    }
  });

  it('are free again group by group, each as long after its last use', () => {
    const ids = new MessageIds(new FakeRandom(1), LIFETIME);
    const lastUse = new Map<number, number>();
    let repeated = 0;
    let shortest = Number.POSITIVE_INFINITY;
    for (let second = 0; second < 1_000; second++) {
      for (let i = 0; i < 300; i++) {
        const id = ids.next(0, second * 1000);
        if (id === -1) break;
        const before = lastUse.get(id);
        if (before !== undefined) {
          repeated++;
          shortest = Math.min(shortest, second - before);
        }
        lastUse.set(id, second);
      }
    }
    expect(shortest).toBeGreaterThanOrEqual(247);
    expect(repeated).toBeGreaterThan(100_000);
  });

  it('of one peer used up leave those of another alone', () => {
    const ids = new MessageIds(new FakeRandom(1), LIFETIME);
    drain(ids, hashOf('10.0.0.1:1'), 0);
    const others = Array.from({ length: 100 }, (_, i) => ids.next(hashOf(`10.0.0.2:${i}`), 0));
    expect(others.filter((id) => id === -1)).toEqual([]);
  });

  it('go on where they were for a peer that has been forgotten in the meantime', async () => {
    const harness = new Harness(() => ({ code: '2.05' }), { maxPeers: 4 });
    const given: number[] = [];
    for (let i = 0; i < 30; i++) {
      harness.client.request({ confirmable: false });
      for (let other = 0; other < 10; other++) harness.another('10.3.0.1', 100 * i + other + 1).request({});
      await harness.clock.advance(10);
      given.push(harness.client.last.messageId);
    }
    expect(given).toEqual(given.map((_, i) => ((given[0] ?? 0) + i) & 0xffff));
  });

  it('start at random', async () => {
    const firstIds = new Set<number>();
    const harness = new Harness(() => ({ code: '2.05' }));
    for (let i = 0; i < 20; i++) {
      const client = harness.another('10.0.2.1', 1000 + i);
      client.request({ confirmable: false });
      await harness.clock.advance(10);
      firstIds.add(client.last.messageId);
    }
    expect(firstIds.size).toBeGreaterThan(15);
  });
});
