import { MessageIds } from '../../../packages/coap-transport/src/endpoint/message-ids';
import { FakeRandom } from '../../../packages/coap-transport/src/endpoint/testing/fake-random';
import { statementsOf } from '../statement';
import { type FakeClient, FakeSource, Harness, slow } from './talk';

const { shows } = statementsOf('RFC 7252');

shows('4.4', 'MUST', 'an Acknowledgement, piggybacked or Empty, has the message id of its request', async () => {
  const harness = slow(700);
  for (const messageId of [0, 1, 0x8000, 0xffff]) {
    harness.client.request({ messageId, token: Buffer.from([messageId & 0xff]) });
    await harness.clock.advance(600);
    expect(harness.client.take()).toMatchObject([{ ack: true, messageId }]);
    await harness.clock.advance(5_000);
    harness.client.take();
  }
});

shows('4.4', 'MUST NOT', 'no message id is used again for the same peer within EXCHANGE_LIFETIME', () => {
  for (let seed = 1; seed < 5; seed++) {
    const ids = new MessageIds(new FakeRandom(seed), 247_000);
    const given = new Set<number>();
    let count = 0;
    for (let id = ids.next(seed, 0); id !== -1; id = ids.next(seed, 0)) {
      given.add(id);
      count++;
    }
    expect(count).toBeGreaterThan(53_000);
    expect(given.size).toBe(count);
    expect(ids.next(seed, 246_999)).toBe(-1);
    expect(ids.next(seed, 249_000)).not.toBe(-1);
  }
});

shows('4.4', 'MUST NOT', 'nor when the peer has been forgotten in the meantime', async () => {
  const harness = new Harness(() => ({ code: '2.05' }), { maxPeers: 4 });
  const ids: number[] = [];
  for (let i = 0; i < 40; i++) {
    harness.client.request({ confirmable: false });
    for (let other = 1; other <= 8; other++) harness.another('10.3.0.1', 100 * i + other).request({});
    await harness.clock.advance(10);
    ids.push(harness.client.last.messageId);
  }
  expect(harness.metric('peers')).toBeLessThan(5);
  expect(ids).toEqual(ids.map((_, i) => ((ids[0] ?? 0) + i) & 0xffff));
});

shows('4.4', 'describes', 'the first message id for a peer is random', async () => {
  const harness = new Harness(() => ({ code: '2.05' }));
  const clients = Array.from({ length: 50 }, (_, i) => harness.another('10.4.0.1', 1_000 + i));
  for (const client of clients) client.request({ confirmable: false });
  await harness.clock.advance(10);
  const ids = clients.map((client) => client.last.messageId).sort((a, b) => a - b);
  expect(new Set(ids).size).toBeGreaterThan(45);
  expect((ids.at(-1) ?? 0) - (ids[0] ?? 0)).toBeGreaterThan(40_000);
});

/** A notification on its way to `client`, and a second peer. */
async function twoPeers() {
  const source = new FakeSource();
  const harness = new Harness(() => ({ code: '2.05', observation: source }));
  const { client } = harness;
  client.request({ observe: 0 });
  await harness.clock.advance(10);
  client.acknowledges = false;
  source.notify('news');
  await harness.clock.advance(10);
  return { harness, client, source };
}

shows('4.4', 'MUST', 'an Acknowledgement from another address or port matches nothing', async () => {
  const { harness, client, source } = await twoPeers();
  harness.another('10.0.0.1', 40_001).acknowledge(client.last);
  harness.another('10.0.0.2', 40_000).acknowledge(client.last);
  await harness.clock.advance(10);
  expect(source.events).toEqual(['sent news']);
  client.acknowledge(client.last);
  await harness.clock.advance(10);
  expect(source.events).toEqual(['sent news', 'delivered news']);
});

shows('4.4', 'MUST', 'a Reset from another address or port matches nothing', async () => {
  const { harness, client, source } = await twoPeers();
  harness.another('10.0.0.1', 40_001).reset(client.last);
  harness.another('10.0.0.2', 40_000).reset(client.last);
  await harness.clock.advance(10);
  expect(source.ends).toEqual([]);
});

shows('4.4', 'MUST', 'an Acknowledgement or a Reset with another message id matches nothing', async () => {
  const { harness, client, source } = await twoPeers();
  const other = (by: number) => ({ ...client.last, messageId: (client.last.messageId + by) & 0xffff });
  for (const by of [1, -1, 256]) {
    client.acknowledge(other(by));
    client.reset(other(by));
  }
  await harness.clock.advance(10);
  expect([source.events, source.ends]).toEqual([['sent news'], []]);
});

shows(
  '4.4',
  'describes',
  'a second Acknowledgement of the same message, and a Reset after it, match nothing',
  async () => {
    const { harness, client, source } = await twoPeers();
    const answer = async (how: (client: FakeClient) => void) => {
      how(client);
      await harness.clock.advance(10);
    };
    const packet = client.last;
    await answer(() => client.acknowledge(packet));
    await answer(() => client.acknowledge(packet));
    await answer(() => client.reset(packet));
    expect([source.events, source.ends]).toEqual([['sent news', 'delivered news'], []]);
    expect(harness.metric('dropped_total', { reason: 'stray_acknowledgement' })).toBe(1);
    expect(harness.metric('dropped_total', { reason: 'stray_reset' })).toBe(1);
  },
);

shows('4.4', 'describes', 'a Reset matches a Non-confirmable message of ours as well', async () => {
  const source = new FakeSource();
  const harness = new Harness(() => ({ code: '2.05', observation: source }));
  harness.client.request({ observe: 0, confirmable: false });
  await harness.clock.advance(10);
  harness.client.reset(harness.client.last);
  await harness.clock.advance(10);
  expect(source.ends).toEqual(['reset']);
});
