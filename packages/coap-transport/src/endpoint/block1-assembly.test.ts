import { blockOption } from './block-option';
import { BlockAssembly, type UploadSettings } from './block1-assembly';
import { PeerState } from './peer';
import { FakeClock } from './testing/fake-clock';
import { TimerWheel } from './timer-wheel';

const KB = 1024;
const SETTINGS: UploadSettings = {
  maxBody: 8 * KB,
  uploadBytesPerPeer: 16 * KB,
  uploadBytes: 32 * KB,
  blockLifetime: 1_000,
};

function assembly(settings: Partial<UploadSettings> = {}, strangers = false) {
  const clock = new FakeClock();
  const blocks = new BlockAssembly({ ...SETTINGS, ...settings }, new TimerWheel(clock), strangers);
  const someone = aPeer('10.0.0.1');
  const send = (number: number, more: boolean, payload: Buffer, exponent = 6, key = 'k', peer = someone, owner = '') =>
    blocks.add(key, {
      peer,
      owner,
      block1: blockOption(number, more, exponent),
      size1: -1,
      contentFormat: undefined,
      payload,
    });
  return { clock, blocks, send, someone };
}

const aPeer = (address: string) => new PeerState(`${address}:1`, address, 1, undefined, 0);
const full = (salt: number, length = KB) => Buffer.alloc(length, salt);

it('blocks in sequence become one body', () => {
  const { send } = assembly();
  expect(send(0, true, full(1)).kind).toBe('continue');
  expect(send(1, true, full(2)).kind).toBe('continue');
  expect(send(2, false, full(3, 7))).toMatchObject({
    kind: 'complete',
    body: Buffer.concat([full(1), full(2), full(3, 7)]),
  });
});

it('the size of blocks may change in the middle: they count by their offset', () => {
  const { send } = assembly();
  send(0, true, full(1), 6);
  expect(send(4, true, full(2, 256), 4).kind).toBe('continue');
  expect(send(20, true, full(3, 64), 2).kind).toBe('continue');
  expect(send(84, false, full(4, 3), 0)).toMatchObject({
    kind: 'complete',
    body: Buffer.concat([full(1), full(2, 256), full(3, 64), full(4, 3)]),
  });
});

it('a block that is there already is acknowledged and changes nothing, also in smaller pieces', () => {
  const { send } = assembly();
  send(0, true, full(1));
  send(1, true, full(2));
  expect(send(1, true, full(2)).kind).toBe('continue');
  expect(send(4, true, full(2, 256), 4).kind).toBe('continue');
  expect(send(2, false, full(3, 1))).toMatchObject({ body: Buffer.concat([full(1), full(2), full(3, 1)]) });
});

it('a block with other bytes than the one that is there is refused and changes nothing', () => {
  const { send } = assembly();
  send(0, true, full(1));
  send(1, true, full(2));
  expect(send(1, true, full(9)).kind).toBe('incomplete');
  expect(send(1, false, full(2, 5)).kind).toBe('incomplete');
  expect(send(2, false, full(3, 1))).toMatchObject({ body: Buffer.concat([full(1), full(2), full(3, 1)]) });
});

it.each([
  ['not the last and short', true, 1000],
  ['not the last and empty', true, 0],
  ['the last and too long', false, 1025],
])('a block that is %s is malformed, and what is there stays', (_what, more, length) => {
  const { send } = assembly();
  expect(send(0, more, full(1, length)).kind).toBe('malformed');
  send(0, true, full(1));
  expect(send(1, more, full(2, length)).kind).toBe('malformed');
  expect(send(1, false, full(2, 1)).kind).toBe('complete');
});

describe('memory', () => {
  it('is charged from the first block until the body is released', () => {
    const { blocks, send, someone } = assembly();
    send(0, true, full(1));
    expect(blocks.bytes).toBeGreaterThanOrEqual(KB);
    expect(someone.uploadBytes).toBe(blocks.bytes);
    const outcome = send(1, false, full(2));
    expect(blocks.bytes).toBeGreaterThanOrEqual(2 * KB);
    expect(someone.busy).toBe(true);
    if (outcome.kind !== 'complete') throw new Error(outcome.kind);
    outcome.release?.();
    expect([blocks.bytes, someone.uploadBytes, someone.busy]).toEqual([0, 0, false]);
  });

  it('counts the key and the bookkeeping: many tiny uploads fill the budget as well', () => {
    const { send, blocks } = assembly();
    const kinds = Array.from({ length: 20 }, (_, i) => send(0, true, full(1, 16), 0, `${i}${'x'.repeat(1000)}`).kind);
    expect(kinds.filter((kind) => kind === 'continue').length).toBeLessThanOrEqual(8);
    expect(kinds.at(-1)).toBe('peer_budget');
    expect(blocks.bytes).toBeLessThanOrEqual(SETTINGS.uploadBytesPerPeer);
  });

  it('is free again when an upload stops', async () => {
    const { blocks, clock, send, someone } = assembly();
    send(0, true, full(1));
    await clock.advance(1_100);
    expect([blocks.bytes, someone.busy]).toEqual([0, false]);
    expect(send(1, false, full(2)).kind).toBe('incomplete');
  });

  it('an upload that finds no more room gives back what it has, so that others can end', () => {
    const { blocks, send } = assembly({ maxBody: 4 * KB, uploadBytesPerPeer: 6 * KB, uploadBytes: 6 * KB });
    send(0, true, full(1), 6, 'a');
    send(1, true, full(1), 6, 'a');
    send(0, true, full(1), 6, 'b');
    expect(send(1, true, full(1), 6, 'b').kind).toBe('continue');
    expect(send(2, true, full(1), 6, 'b').kind).toBe('peer_budget');
    expect(send(2, true, full(1), 6, 'a').kind).toBe('continue');
    expect(send(3, false, full(1), 6, 'a')).toMatchObject({ kind: 'complete', body: full(1, 4 * KB) });
    expect(blocks.bytes).toBeLessThanOrEqual(6 * KB);
  });

  it('of all is shared: a second peer is told apart from one that is over its own share', () => {
    const { send } = assembly({ uploadBytesPerPeer: 4 * KB, uploadBytes: 5 * KB });
    expect(send(0, true, full(1), 6, 'a').kind).toBe('continue');
    expect(send(0, true, full(1), 6, 'b').kind).toBe('continue');
    expect(send(0, true, full(1), 6, 'c').kind).toBe('peer_budget');
    expect(send(0, true, full(1), 6, 'd', aPeer('10.0.0.2')).kind).toBe('continue');
    expect(send(0, true, full(1), 6, 'e', aPeer('10.0.0.3')).kind).toBe('budget');
  });

  it('a body of exactly the limit fits when there is nothing else, and one byte more never does', () => {
    const { blocks, send } = assembly({ maxBody: 1 << 20, uploadBytesPerPeer: 5 * KB, uploadBytes: 5 * KB });
    expect(blocks.limit).toBe(4 * KB);
    for (let number = 0; number < 3; number++) expect(send(number, true, full(1)).kind).toBe('continue');
    const outcome = send(3, false, full(1));
    expect(outcome.kind).toBe('complete');
    if (outcome.kind === 'complete') outcome.release?.();
    for (let number = 0; number < 4; number++) expect(send(number, true, full(1)).kind).toBe('continue');
    expect(send(4, false, full(1, 1)).kind).toBe('too_large');
    expect(blocks.bytes).toBe(0);
  });

  it('of one owner is the same from however many addresses, and is free again for it', async () => {
    const { blocks, clock, send } = assembly({ uploadBytesPerPeer: 4 * KB });
    const from = (place: number, owner: string) =>
      send(0, true, full(1), 6, `${owner}${place}`, aPeer(`10.0.1.${place}`), owner).kind;
    const kinds = Array.from({ length: 10 }, (_, place) => from(place, 'one'));
    expect(kinds).toEqual(['continue', 'continue', ...new Array(8).fill('peer_budget')]);
    expect(blocks.bytes).toBeLessThanOrEqual(4 * KB);
    expect(from(20, 'other')).toBe('continue');
    await clock.advance(1_100);
    expect(from(30, 'one')).toBe('continue');
  });
});

it('a body is continued by nobody but who began it', () => {
  const { send, someone } = assembly();
  send(0, true, full(1), 6, 'k', someone, 'one');
  expect(send(1, false, full(2, 5), 6, 'k', someone, 'other').kind).toBe('incomplete');
  expect(send(1, false, full(2, 5), 6, 'k', someone, 'one')).toMatchObject({
    body: Buffer.concat([full(1), full(2, 5)]),
  });
});

describe('bodies of strangers', () => {
  it('are not charged to the peer, whose address may be forged', () => {
    const { blocks, send, someone } = assembly({}, true);
    send(0, true, full(1));
    expect([blocks.bytes > KB, someone.uploadBytes, someone.busy]).toEqual([true, 0, true]);
    send(1, true, full(2));
    send(2, false, full(3, 7));
    expect(someone.busy).toBe(true);
    blocks.drop('k');
    expect(someone.uploadBytes).toBe(0);
  });

  it('have a share of the memory by their source address, whatever the port', () => {
    const { send } = assembly({ uploadBytesPerPeer: 4 * KB, uploadBytes: 64 * KB }, true);
    const kinds = Array.from({ length: 6 }, (_, n) => send(0, true, full(1), 6, `${n}`, aPeer('10.0.0.1')).kind);
    expect(kinds).toEqual(['continue', 'continue', 'peer_budget', 'peer_budget', 'peer_budget', 'peer_budget']);
    expect(send(0, true, full(1), 6, 'else', aPeer('10.0.0.2')).kind).toBe('continue');
  });

  it('that find no room get that of the one that waits longest, which begins anew', () => {
    const { blocks, send } = assembly({ uploadBytesPerPeer: 8 * KB, uploadBytes: 8 * KB }, true);
    for (let n = 1; n <= 5; n++) expect(send(0, true, full(n), 6, `${n}`, aPeer(`10.0.0.${n}`)).kind).toBe('continue');
    expect(send(1, true, full(9), 6, '1', aPeer('10.0.0.1')).kind).toBe('continue');
    expect(blocks.bytes).toBeLessThanOrEqual(8 * KB);
    expect(send(1, false, full(9), 6, '2', aPeer('10.0.0.2')).kind).toBe('incomplete');
    expect(send(2, false, full(9), 6, '1', aPeer('10.0.0.1')).kind).toBe('complete');
  });

  it('that are being worked on keep their room', () => {
    const { send } = assembly({ uploadBytesPerPeer: 8 * KB, uploadBytes: 9 * KB }, true);
    for (const peer of ['10.0.0.1', '10.0.0.2']) {
      for (const number of [0, 1, 2]) send(number, number < 2, full(1), 6, peer, aPeer(peer));
    }
    expect(send(0, true, full(1), 6, 'third', aPeer('10.0.0.3')).kind).toBe('budget');
  });
});
