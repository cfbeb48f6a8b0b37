import { statementsOf } from '../statement';
import { block, bytes, Harness, option, talk } from './blocks';

const { shows } = statementsOf('RFC 7959');
const BUDGETS = { uploadBytesPerPeer: 8_192, uploadBytes: 16_384, downloadBytesPerPeer: 8_192, downloadBytes: 16_384 };

shows(
  '7.1',
  'SHOULD',
  'unfinished bodies of one client fill its own share of the memory: beyond it 5.03 with Max-Age',
  async () => {
    const there = talk(undefined, BUDGETS);
    for (let i = 0; i < 20; i++) await there.post(0, true, bytes(1024), 1024, { path: [`${i}`] });
    expect(there.client.last.code).toBe('5.03');
    expect(option(there.client.last, 'Max-Age')).toBeGreaterThan(0);
    expect(there.metric('upload_bytes')).toBeLessThanOrEqual(BUDGETS.uploadBytesPerPeer);
    expect(there.metric('dropped_total', { reason: 'body_peer_budget' })).toBeGreaterThan(0);
    const other = there.another();
    expect((await there.ask({ code: 'POST', block1: block(0, true, 1024), payload: bytes(1024) }, other)).code).toBe(
      '2.31',
    );
  },
);

shows(
  '7.1',
  'SHOULD',
  'unfinished bodies of all clients fill the memory that is there for them and no more',
  async () => {
    const there = talk(undefined, BUDGETS);
    for (let i = 0; i < 50; i++) {
      const client = there.another('10.0.5.1', 1000 + i);
      await there.ask({ code: 'POST', block1: block(0, true, 1024), payload: bytes(1024) }, client);
    }
    expect(there.metric('upload_bytes')).toBeLessThanOrEqual(BUDGETS.uploadBytes);
    expect(there.metric('dropped_total', { reason: 'body_budget' })).toBeGreaterThan(0);
    await there.clock.advance(301_000);
    expect(there.metric('upload_bytes')).toBe(0);
    expect(await there.post(0, true, bytes(1024), 1024)).toMatch('ACK 2.31');
  },
);

shows('7.1', 'SHOULD', 'bodies kept for one client push out its own and not those of another', async () => {
  const there = talk(({ path }) => ({ code: '2.05', payload: bytes(2500, (path[0] ?? '').length) }), BUDGETS);
  const quiet = there.another();
  await there.ask({ path: ['quiet'] }, quiet);
  for (let i = 0; i < 20; i++) await there.ask({ path: [`greedy ${i}`] });
  const runs = there.handled.length;
  await there.ask({ path: ['quiet'], block2: block(1, false, 1024) }, quiet);
  expect(there.handled).toHaveLength(runs);
  expect(there.metric('download_bytes')).toBeLessThanOrEqual(BUDGETS.downloadBytes);
});

shows(
  '7.1',
  'SHOULD',
  'a client that is not authenticated makes the server keep nothing, neither of a request nor of a reply',
  async () => {
    const strangers = new Harness(() => ({ code: '2.05', payload: 'x'.repeat(100) }), {}, true);
    strangers.client.request({ path: ['a'.repeat(60)], block2: block(0, false, 16) });
    await strangers.clock.advance(10);
    expect(strangers.client.last.payload).toHaveLength(16);
    expect([strangers.metric('download_bytes'), strangers.metric('deduplication_bytes')]).toEqual([0, 0]);
  },
);

shows(
  '7.2',
  'SHOULD',
  'a reply to a client that is not authenticated is no more than three times its request',
  async () => {
    const strangers = new Harness(() => ({ code: '2.05', payload: bytes(5000) }), {}, true);
    const datagram = strangers.client.request({});
    await strangers.clock.advance(10);
    expect(strangers.client.raw.map((reply) => reply.length)).toEqual([expect.any(Number)]);
    expect(strangers.client.raw[0]?.length).toBeLessThanOrEqual(3 * datagram.length);
  },
);
