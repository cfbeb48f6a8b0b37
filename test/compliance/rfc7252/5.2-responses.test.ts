import { statementsOf } from '../statement';
import { FakeSource, Harness, hex, kind, say, slow } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows(
  '5.2.1',
  'describes',
  'an answer that is ready in time comes in the Acknowledgement, success or not',
  async () => {
    for (const code of ['2.01', '2.05', '4.00', '4.04', '4.29', '5.00', '5.03']) {
      expect((await say('41 02 1234 aa b161', { code })).kinds).toEqual([`ACK ${code}`]);
    }
  },
);

shows('5.2.1', 'describes', 'in time is what comes before COAP_PIGGYBACK_TIMEOUT', async () => {
  for (const [delay, answer] of [
    [280, ['ACK 2.05']],
    [340, ['ACK 0.00', 'CON 2.05']],
  ] as const) {
    const harness = slow(delay, { piggybackTimeout: 300 });
    harness.client.request({});
    await harness.clock.advance(10_000);
    expect(harness.client.received.map(kind)).toEqual(answer);
  }
});

shows(
  '5.2.2',
  'describes',
  'an answer that takes longer follows the Empty Acknowledgement as a Confirmable message',
  async () => {
    const harness = slow(5_000);
    harness.client.request({ messageId: 77, token: hex('cafe') });
    await harness.clock.advance(60_000);
    expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
    expect(harness.client.received[0]).toMatchObject({ messageId: 77, token: hex('') });
    expect(harness.client.last.token).toEqual(hex('cafe'));
  },
);

shows(
  '5.2.2',
  'MUST NOT',
  'after an Empty Acknowledgement the response never comes in another one, however often the request is repeated',
  async () => {
    const harness = slow(3_000);
    const datagram = harness.client.request({});
    for (let i = 0; i < 20; i++) {
      await harness.clock.advance(500);
      harness.client.send(datagram);
    }
    await harness.clock.advance(10);
    const acknowledgements = harness.client.received.filter(({ ack }) => ack).map(kind);
    expect(acknowledgements.length).toBeGreaterThan(10);
    expect(new Set(acknowledgements)).toEqual(new Set(['ACK 0.00']));
    expect(harness.client.received.filter(({ confirmable }) => confirmable)).toHaveLength(1);
  },
);

leaves(
  '5.2.2',
  'MUST NOT',
  'nor when the request showed no valid credentials and took longer than COAP_PIGGYBACK_TIMEOUT',
  'once it is answered nothing is kept of such a request (section 4.5); a copy that comes later is answered anew',
);

/** A client with a separate response on its way to it, not acknowledged. */
async function separate() {
  const harness = slow(1_000);
  harness.client.acknowledges = false;
  harness.client.request({});
  await harness.clock.advance(1_100);
  expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
  const id = harness.client.last.messageId.toString(16).padStart(4, '0');
  harness.client.take();
  return { harness, client: harness.client, id };
}

shows('5.2.2', 'MUST', 'a matching Empty Acknowledgement ends the repetitions of a separate response', async () => {
  const { harness, client, id } = await separate();
  client.send(hex(`60 00 ${id}`));
  await harness.clock.advance(200_000);
  expect(client.received).toEqual([]);
});

shows(
  '5.2.2',
  'MUST',
  'so does a matching Acknowledgement with a response code or a payload, which are ignored',
  async () => {
    for (const rest of ['45 ID', '45 ID ff 61', '84 ID', 'a0 ID c1 32 ff 61']) {
      const { harness, client, id } = await separate();
      client.send(hex(`60 ${rest.replace('ID', id)}`));
      await harness.clock.advance(200_000);
      expect(client.received).toEqual([]);
      expect(harness.metric('timeouts_total')).toBe(0);
    }
  },
);

shows('5.2.2', 'MUST', 'so does such an Acknowledgement with a token', async () => {
  const { harness, client, id } = await separate();
  client.send(hex(`62 45 ${id} cafe`));
  await harness.clock.advance(200_000);
  expect(client.received).toEqual([]);
});

shows('5.2.2', 'MUST', 'so does a matching Reset', async () => {
  const { harness, client, id } = await separate();
  client.send(hex(`70 00 ${id}`));
  await harness.clock.advance(200_000);
  expect(client.received).toEqual([]);
});

shows('5.2.2', 'describes', 'a separate response whose first copy is lost arrives by repetition', async () => {
  const harness = slow(1_000);
  harness.client.request({});
  await harness.clock.advance(900);
  harness.network.conditions = { loss: 1 };
  await harness.clock.advance(1_000);
  harness.network.conditions = { loss: 0 };
  await harness.clock.advance(100_000);
  expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
  expect(harness.metric('retransmissions_total')).toBe(1);
});

shows(
  '5.2.2',
  'describes',
  'a separate response whose Acknowledgement is lost is repeated until one arrives',
  async () => {
    const harness = slow(1_000);
    harness.client.acknowledges = false;
    harness.client.request({});
    await harness.clock.advance(5_000);
    expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 2.05', 'CON 2.05']);
    harness.client.acknowledge(harness.client.last);
    await harness.clock.advance(200_000);
    expect(harness.client.received).toHaveLength(3);
  },
);

shows('5.2.2', 'describes', 'a handler that never answers is answered for: 5.04 as a separate response', async () => {
  const harness = new Harness(() => new Promise(() => {}), { handlerTimeout: 20_000 });
  harness.client.request({});
  await harness.clock.advance(60_000);
  expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'CON 5.04']);
});

shows('5.2.3', 'SHOULD', 'the response to a Non-confirmable request is Non-confirmable, success or not', async () => {
  for (const code of ['2.05', '4.04', '5.00']) {
    expect((await say('51 01 1234 aa b161', { code })).kinds).toEqual([`NON ${code}`]);
  }
  const source = new FakeSource();
  const harness = new Harness(() => ({ code: '2.05', observation: source }));
  harness.client.request({ confirmable: false, observe: 0 });
  await harness.clock.advance(10);
  expect(harness.client.received.map(kind)).toEqual(['NON 2.05']);
});

shows(
  '5.2.3',
  'describes',
  'a Non-confirmable response has a message id of the server, not that of the request',
  async () => {
    const { packets } = await say('51 01 1234 aa b161');
    expect(packets[0]?.messageId).not.toBe(0x1234);
  },
);
