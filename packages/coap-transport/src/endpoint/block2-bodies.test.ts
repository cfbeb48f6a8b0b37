import { blockMore, blockNumber } from './block-option';
import { BlockBodies, type BodySettings } from './block2-bodies';
import { codeByte } from './codes';
import { PeerState } from './peer';
import { payloadBytes } from './response';
import { FakeClock } from './testing/fake-clock';
import { TimerWheel } from './timer-wheel';

const SETTINGS: BodySettings = {
  downloadBytes: 20_000,
  downloadBytesPerPeer: 6_000,
  blockLifetime: 1_000,
  blockExponent: 6,
};
const CONTENT = codeByte('2.05');

function shelves(settings: Partial<BodySettings> = {}) {
  const clock = new FakeClock();
  let evicted = 0;
  const bodies = new BlockBodies({ ...SETTINGS, ...settings }, new TimerWheel(clock), () => evicted++);
  const peers = new Map<string, PeerState>();
  const owner = (peerKey: string, transferKey: string, device = 'd') => {
    const peer = peers.get(peerKey) ?? new PeerState(peerKey, '10.0.0.1', 1, undefined, 0);
    peers.set(peerKey, peer);
    return { peer, transferKey, owner: device };
  };
  const keep = (peerKey: string, transferKey: string, length = 2_000) =>
    bodies.cut({ code: CONTENT }, Buffer.alloc(length, 1), 0, 6, owner(peerKey, transferKey));
  /** Something an observer has been told. */
  const tell = (peerKey: string, transferKey: string, length = 2_000) => {
    const observer = owner(peerKey, transferKey);
    return {
      observer,
      block: bodies.cut({ code: CONTENT }, Buffer.alloc(length, 2), 0, 6, observer, { observer: true }),
    };
  };
  const reply = (peerKey: string, transferKey: string) =>
    bodies.cut({ code: CONTENT }, Buffer.alloc(2_000, 3), 0, 6, owner(peerKey, transferKey), { renewable: false });
  const has = (...keys: string[]) => keys.filter((key) => bodies.find(key, 'd') !== undefined);
  return { bodies, clock, keep, owner, tell, reply, has, evicted: () => evicted };
}

it('blocks of any size and number put together are the body', () => {
  const { bodies, owner } = shelves();
  const body = Buffer.from(Array.from({ length: 2_000 }, (_, i) => i % 251));
  for (let exponent = 0; exponent <= 6; exponent++) {
    const blocks: Buffer[] = [];
    for (let number = 0, more = true; more; number++) {
      const block = bodies.cut({ code: CONTENT }, body, number, exponent, owner('p', 'k'));
      expect(blockNumber(block?.block2 ?? -1)).toBe(number);
      more = blockMore(block?.block2 ?? -1);
      blocks.push(block?.payload ?? Buffer.alloc(0));
      expect(blocks.at(-1)).toHaveLength(Math.min(16 << exponent, body.length - number * (16 << exponent)));
    }
    expect(Buffer.concat(blocks)).toEqual(body);
  }
});

it.each([2, 100, 0xfffff])('there is no block %i of a body of two', (number) => {
  const { bodies, owner } = shelves();
  expect(bodies.cut({ code: CONTENT }, Buffer.alloc(2_000), number, 6, owner('p', 'k'))).toBeUndefined();
});

it('a block of a size we do not send begins where the one asked for would', () => {
  const { bodies } = shelves({ blockExponent: 2 });
  const body = Buffer.from(Array.from({ length: 2_000 }, (_, i) => i % 251));
  const block = bodies.cut({ code: CONTENT }, body, 1, 6, undefined);
  expect(block?.payload).toEqual(body.subarray(1024, 1088));
  expect(block?.block2).toBe((16 << 4) | 8 | 2);
  expect([bodies.fits(64, 6), bodies.fits(65, 6)]).toEqual([true, false]);
});

it('nothing is kept where nobody is named, of an error, or of what goes in one block', () => {
  const { bodies, owner } = shelves();
  bodies.cut({ code: CONTENT }, Buffer.alloc(2_000), 0, 6, undefined);
  bodies.cut({ code: codeByte('4.00') }, Buffer.alloc(2_000), 0, 6, owner('p', 'a'));
  bodies.cut({ code: CONTENT }, Buffer.alloc(1_024), 0, 6, owner('p', 'b'));
  expect(bodies.bytes).toBe(0);
});

describe('memory', () => {
  it('one peer pushes out its own bodies and nobody else’s', () => {
    const { bodies, keep } = shelves();
    keep('quiet', 'quiet body');
    for (let i = 0; i < 50; i++) keep('greedy', `body ${i}`);
    expect(bodies.find('quiet body', 'd')).toBeDefined();
    expect(bodies.find('body 49', 'd')).toBeDefined();
    expect(bodies.find('body 0', 'd')).toBeUndefined();
    expect(bodies.bytes).toBeLessThanOrEqual(SETTINGS.downloadBytesPerPeer + 2_600);
  });

  it('the budget of all holds whatever the number of peers; the least recently used body goes first', () => {
    const { bodies, keep } = shelves();
    for (let i = 0; i < 5; i++) keep(`peer ${i}`, `body ${i}`);
    keep('peer 0', 'body 0');
    for (let i = 5; i < 11; i++) keep(`peer ${i}`, `body ${i}`);
    expect(bodies.bytes).toBeLessThanOrEqual(SETTINGS.downloadBytes);
    expect(bodies.find('body 0', 'd')).toBeDefined();
    expect(bodies.find('body 1', 'd')).toBeUndefined();
  });

  it('a body that alone is over the share of a peer is cut and not kept', () => {
    const { bodies, keep } = shelves();
    expect(keep('p', 'k', 7_000)?.payload).toHaveLength(1024);
    expect([bodies.find('k', 'd'), bodies.bytes]).toEqual([undefined, 0]);
  });

  it('a body lies alone in the memory that is charged for it', () => {
    const { bodies, owner } = shelves();
    const part = Buffer.alloc(1 << 20).subarray(0, 2_000);
    bodies.cut({ code: CONTENT }, part, 0, 6, owner('p', 'k'));
    const { payload } = bodies.find('k', 'd') ?? {};
    expect(Buffer.isBuffer(payload) && payload.buffer.byteLength).toBe(2_000);
    expect(bodies.bytes).toBeGreaterThan(2_000);
  });

  it('is free again when nobody has asked for a block for a while', async () => {
    const { bodies, clock, keep } = shelves();
    keep('p', 'k');
    await clock.advance(900);
    keep('p', 'k');
    await clock.advance(900);
    expect(bodies.find('k', 'd')).toBeDefined();
    await clock.advance(200);
    expect([bodies.find('k', 'd'), bodies.bytes]).toEqual([undefined, 0]);
  });
});

describe('what an observer has been told', () => {
  const firstByte = (bodies: BlockBodies, key: string) => payloadBytes(bodies.find(key, 'd')?.payload)[0];

  it('stays until it has been read, whatever its peer asks for meanwhile', () => {
    const { bodies, keep, tell } = shelves();
    const { observer } = tell('p', 'k');
    keep('p', 'k');
    bodies.supersede('k');
    expect(firstByte(bodies, 'k')).toBe(2);
    bodies.release(observer);
    keep('p', 'k');
    expect(firstByte(bodies, 'k')).toBe(1);
  });

  it('gives way to what an observer is told next, and the end of the older one changes nothing', () => {
    const { bodies, keep, tell } = shelves();
    const { observer: older } = tell('p', 'k');
    tell('p', 'k', 2_001);
    bodies.release(older);
    keep('p', 'k');
    expect(payloadBytes(bodies.find('k', 'd')?.payload)).toHaveLength(2_001);
  });

  it('goes last: first what a GET makes anew, then replies to a POST; and only then it is counted', () => {
    const { bodies, keep, tell, reply, has, evicted } = shelves({ downloadBytes: 8_000 });
    tell('a', 'told');
    reply('b', 'reply');
    keep('c', 'first');
    keep('d', 'second');
    expect(has('told', 'reply', 'first', 'second')).toEqual(['told', 'reply', 'second']);
    tell('e', 'told e');
    expect(has('told', 'reply', 'second')).toEqual(['told', 'reply']);
    tell('f', 'told f');
    expect([has('told', 'reply'), evicted()]).toEqual([['told'], 0]);
    keep('g', 'third');
    expect(has('told', 'third', 'told e', 'told f')).toEqual(['told', 'told e', 'told f']);
    tell('h', 'told h');
    expect([has('told', 'told e', 'told f', 'told h'), evicted()]).toEqual([['told e', 'told f', 'told h'], 1]);
    expect(bodies.bytes).toBeLessThanOrEqual(8_000);
  });

  it('may be longer than the share of its peer, also once it has been read; then others of the peer make room', () => {
    const { bodies, keep, tell, has } = shelves();
    keep('p', 'small');
    const { observer, block } = tell('p', 'long', 15_000);
    expect([block?.payload?.length, has('small', 'long')]).toEqual([1_024, ['small', 'long']]);
    bodies.release(observer);
    expect(has('small', 'long')).toEqual(['long']);
    keep('p', 'next');
    expect(has('next', 'long')).toEqual(['next']);
  });

  it('is not begun where it cannot be kept', () => {
    const { bodies, tell } = shelves();
    expect(tell('p', 'k', 20_000).block).toBeUndefined();
    expect(bodies.bytes).toBe(0);
  });
});

it('a body is shown to nobody but its owner', () => {
  const { bodies, keep } = shelves();
  keep('p', 'k');
  expect([bodies.find('k', 'other'), bodies.find('k', 'd')?.code]).toEqual([undefined, '2.05']);
});
