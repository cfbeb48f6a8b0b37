import { statementsOf } from '../statement';
import { Harness, hex, kind, slow } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

/** An endpoint that numbers its answers. */
const counting = (settings = {}) => {
  let calls = 0;
  return new Harness(() => ({ code: '2.05', payload: `${++calls}` }), settings);
};
const payloads = (harness: Harness) => harness.client.received.map((packet) => packet.payload.toString());

shows(
  '4.5',
  'SHOULD',
  'each copy of a Confirmable request is acknowledged by the same bytes and handled once',
  async () => {
    const harness = counting();
    const datagram = harness.client.request({});
    await harness.clock.advance(10);
    for (const wait of [2_000, 4_000, 8_000, 16_000, 200_000]) {
      await harness.clock.advance(wait);
      harness.client.send(datagram);
    }
    await harness.clock.advance(10);
    expect(payloads(harness)).toEqual(['1', '1', '1', '1', '1', '1']);
    expect(new Set(harness.client.raw.map((bytes) => bytes.toString('hex'))).size).toBe(1);
  },
);

shows('4.5', 'SHOULD', 'copies that arrive together are handled once', async () => {
  const harness = counting();
  harness.network.conditions = { duplication: 1 };
  harness.client.request({});
  await harness.clock.advance(10);
  expect(new Set(payloads(harness))).toEqual(new Set(['1']));
});

shows('4.5', 'SHOULD', 'a copy that arrives while the request is being handled does not start it again', async () => {
  const harness = slow(400);
  const datagram = harness.client.request({});
  for (let i = 0; i < 3; i++) {
    await harness.clock.advance(100);
    harness.client.send(datagram);
  }
  await harness.clock.advance(10_000);
  expect([harness.calls, harness.client.received.map(kind)]).toEqual([1, ['ACK 2.05']]);
});

shows(
  '4.5',
  'SHOULD',
  'a copy that arrives after the Empty Acknowledgement gets that again, before and after the response',
  async () => {
    const harness = slow(2_000);
    const datagram = harness.client.request({ messageId: 5 });
    await harness.clock.advance(1_000);
    harness.client.send(datagram);
    await harness.clock.advance(2_000);
    harness.client.send(datagram);
    await harness.clock.advance(200_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(harness.calls).toBe(1);
    expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'ACK 0.00', 'CON 2.05', 'ACK 0.00', 'ACK 0.00']);
  },
);

shows(
  '4.5',
  'SHOULD',
  'a request whose Empty Acknowledgement was lost is answered by one separate response all the same',
  async () => {
    const harness = slow(5_000);
    const datagram = harness.client.request({});
    await harness.clock.advance(100);
    harness.network.conditions = { loss: 1 };
    await harness.clock.advance(1_000);
    harness.network.conditions = { loss: 0 };
    expect(harness.client.received).toEqual([]);
    harness.client.send(datagram);
    await harness.clock.advance(20_000);
    expect([harness.calls, harness.client.received.map(kind)]).toEqual([1, ['ACK 0.00', 'CON 2.05']]);
  },
);

shows('4.5', 'describes', 'a copy within EXCHANGE_LIFETIME is a copy, a message after it is a new one', async () => {
  const harness = counting();
  const datagram = harness.client.request({});
  await harness.clock.advance(246_900);
  harness.client.send(datagram);
  await harness.clock.advance(5_000);
  harness.client.send(datagram);
  await harness.clock.advance(10);
  expect(payloads(harness)).toEqual(['1', '1', '2']);
});

shows('4.5', 'SHOULD', 'a copy of a message that was rejected is rejected again', async () => {
  const harness = counting();
  for (let i = 0; i < 3; i++) harness.client.send(hex('40 01 1234 b561'));
  await harness.clock.advance(10);
  expect(harness.client.received.map(kind)).toEqual(['RST 0.00', 'RST 0.00', 'RST 0.00']);
});

shows('4.5', 'SHOULD', 'a copy of a Non-confirmable request within NON_LIFETIME is ignored in silence', async () => {
  const harness = counting();
  const datagram = harness.client.request({ confirmable: false });
  for (const wait of [1, 1_000, 143_000]) {
    await harness.clock.advance(wait);
    harness.client.send(datagram);
  }
  await harness.clock.advance(10);
  expect(payloads(harness)).toEqual(['1']);
  await harness.clock.advance(3_000);
  harness.client.send(datagram);
  await harness.clock.advance(10);
  expect(payloads(harness)).toEqual(['1', '2']);
});

shows(
  '4.5',
  'SHOULD',
  'a copy of a Non-confirmable request that is being handled does not start it again',
  async () => {
    const harness = slow(3_000);
    const datagram = harness.client.request({ confirmable: false });
    for (let i = 0; i < 5; i++) {
      await harness.clock.advance(1_000);
      harness.client.send(datagram);
    }
    await harness.clock.advance(10_000);
    expect([harness.calls, harness.client.received.map(kind)]).toEqual([1, ['NON 2.05']]);
  },
);

shows('4.5', 'describes', 'the same message id from another address or port is another message', async () => {
  const harness = counting();
  harness.client.request({ messageId: 9 });
  harness.another('10.0.0.1', 40_001).request({ messageId: 9 });
  harness.another('10.0.0.2', 40_000).request({ messageId: 9 });
  await harness.clock.advance(10);
  expect(harness.metric('received_requests_total')).toBe(3);
  expect(harness.metric('duplicate_requests_total')).toBe(0);
});

shows(
  '4.5',
  'describes',
  'a peer that has been forgotten in the meantime still has no request handled twice',
  async () => {
    const harness = counting({ maxPeers: 4 });
    const datagram = harness.client.request({});
    for (let port = 1; port <= 50; port++) harness.another('10.3.0.1', port).request({});
    await harness.clock.advance(10);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(payloads(harness)[1]).toBe(payloads(harness)[0]);
    expect(harness.client.received).toHaveLength(2);
  },
);

shows('4.5', 'MAY', 'when the memory for copies is used up, the oldest messages are forgotten first', async () => {
  const harness = counting({ deduplicationBytes: 32 << 10 });
  const first = harness.client.request({});
  let last = first;
  for (let i = 0; i < 2_000; i++) {
    last = harness.client.request({});
    await harness.clock.advance(2);
  }
  harness.client.take();
  harness.client.send(last);
  harness.client.send(first);
  await harness.clock.advance(10);
  expect(payloads(harness)).toEqual(['2001', '2002']);
  expect(harness.metric('deduplication_bytes')).toBeLessThanOrEqual(32 << 10);
});

shows(
  '4.5',
  'MAY',
  'what was answered to a request without valid credentials is not kept: a copy is answered anew, and changes nothing',
  async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: calls++ === 0 ? '4.01' : '4.04' }), {}, true);
    const datagram = harness.client.request({});
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(['ACK 4.01', 'ACK 4.04']);
  },
);

leaves(
  '4.5',
  'SHOULD',
  'a message with a known message id and another token is a copy all the same',
  'it is handled: a device that restarts may start with the same message ids, and its data would be lost',
);

shows(
  '4.5',
  'describes',
  'a message with a known message id and another token is handled: the device has restarted',
  async () => {
    const harness = counting();
    harness.client.request({ messageId: 12, token: hex('3456') });
    harness.client.request({ messageId: 12, token: hex('56') });
    harness.client.request({ messageId: 12, token: hex('') });
    await harness.clock.advance(10);
    expect(payloads(harness)).toEqual(['1', '2', '3']);
  },
);

shows('4.5', 'describes', 'a request under the message id of a message of ours is no copy of it', async () => {
  const harness = slow(1_000);
  harness.client.request({ messageId: 5 });
  await harness.clock.advance(5_000);
  const ours = harness.client.last.messageId;
  harness.client.take();
  harness.client.request({ messageId: ours });
  await harness.clock.advance(5_000);
  expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
});
