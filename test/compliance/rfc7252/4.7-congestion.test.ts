import { statementsOf } from '../statement';
import { FakeSource, Harness, kind, slow, watch } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows('4.7', 'MUST', 'at most NSTART (1) Confirmable message to a peer waits for its Acknowledgement', async () => {
  const harness = slow(1_000);
  const { client } = harness;
  client.acknowledges = false;
  for (let i = 0; i < 4; i++) client.request({ token: Buffer.from([i]) });
  const confirmables = () => client.received.filter(({ confirmable }) => confirmable);
  const seen: (number | undefined)[] = [];
  for (let i = 0; i < 4; i++) {
    await harness.clock.advance(1_500);
    expect(new Set(confirmables().map(({ messageId }) => messageId)).size).toBe(1);
    seen.push(confirmables()[0]?.token[0]);
    client.acknowledge(client.last);
    client.take();
  }
  expect(seen).toEqual([0, 1, 2, 3]);
});

shows('4.7', 'MUST', 'NSTART counts separate responses and notifications together', async () => {
  const source = new FakeSource();
  const harness: Harness = new Harness((request) =>
    request.observe === 0
      ? { code: '2.05', observation: source }
      : new Promise((resolve) => harness.clock.setTimer(600, () => resolve({ code: '2.04' }))),
  );
  const { client } = harness;
  client.request({ observe: 0, token: Buffer.from([1]) });
  await harness.clock.advance(10);
  client.take();
  client.acknowledges = false;
  source.notify('news');
  client.request({ code: 'POST', token: Buffer.from([2]) });
  await harness.clock.advance(1_500);
  const confirmables = () => client.received.filter(({ confirmable }) => confirmable).map(kind);
  expect(confirmables()).toEqual(['CON 2.05']);
  const notification = client.received.find(({ confirmable }) => confirmable);
  if (notification !== undefined) client.acknowledge(notification);
  await harness.clock.advance(10);
  expect(confirmables()).toEqual(['CON 2.05', 'CON 2.04']);
});

shows('4.7', 'describes', 'a peer that acknowledges nothing does not hold up another one', async () => {
  const harness = slow(1_000);
  harness.client.acknowledges = false;
  const other = harness.another();
  harness.client.request({});
  other.request({});
  await harness.clock.advance(1_100);
  expect(other.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
});

shows('4.7', 'describes', 'what waits for a peer is bounded, and given up when the peer is gone', async () => {
  const harness = slow(1_000, { maxQueuedPerPeer: 3 });
  const arrivals = watch(harness, harness.client);
  for (let i = 0; i < 10; i++) harness.client.request({ token: Buffer.from([i]) });
  await harness.clock.advance(600_000);
  const responses = arrivals.filter(({ packet }) => packet.confirmable).map(({ packet }) => packet.token[0]);
  expect([...new Set(responses)]).toEqual([0]);
  expect(harness.metric('dropped_total', { reason: 'queue_full' })).toBe(6);
  expect(harness.metric('dropped_total', { reason: 'peer_gone' })).toBe(3);
});

shows(
  '4.7',
  'SHOULD',
  'answers to one source address that shows no valid credentials are limited per second',
  async () => {
    const harness = new Harness(() => ({ code: '4.01' }), { sourceReplies: 5 }, true);
    for (let i = 0; i < 200; i++) harness.client.request({});
    await harness.clock.advance(10);
    const atOnce = harness.client.received.length;
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThanOrEqual(50);
    expect(harness.metric('dropped_total', { reason: 'source_replies' })).toBe(200 - atOnce);
    const other = harness.another();
    other.request({});
    await harness.clock.advance(10);
    expect(other.received.map(kind)).toEqual(['ACK 4.01']);
  },
);

leaves(
  '4.7',
  'MUST',
  'PROBING_RATE bounds what is sent to an endpoint that does not respond',
  'it concerns requests, and no requests are sent; observers that are silent are dealt with in RFC 7641 section 4.5',
);
