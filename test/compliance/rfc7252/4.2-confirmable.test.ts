import { statementsOf } from '../statement';
import { FakeSource, Harness, hex, kind, replies, say, slow, watch } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

/** An observer with a notification on its way to it. */
async function notified() {
  const source = new FakeSource();
  const harness = new Harness(() => ({ code: '2.05', observation: source }));
  harness.client.request({ observe: 0 });
  await harness.clock.advance(10);
  harness.client.take();
  harness.client.acknowledges = false;
  source.notify('news');
  await harness.clock.advance(10);
  return { harness, client: harness.client, source };
}

shows('4.2', 'MUST', 'a Confirmable request is acknowledged once, with its message id', async () => {
  for (const id of ['0000', '1234', 'ffff']) {
    const { packets, kinds } = await say(`41 01 ${id} aa b161`);
    expect(kinds).toEqual(['ACK 2.05']);
    expect(packets[0]?.messageId).toBe(Number.parseInt(id, 16));
  }
});

shows('4.2', 'MUST', 'a Confirmable message with a reserved code class is rejected by a Reset', async () => {
  expect(await replies(['40 20 1234', '41 3f 1234 aa', '40 60 1234', '40 c0 1234', '40 e5 1234 b161'])).toEqual(
    Array(5).fill('RST 0.00'),
  );
});

shows(
  '4.2',
  'MUST',
  'a Confirmable message with a format error is rejected by a Reset and does nothing else',
  async () => {
    for (const rest of ['b561', 'f161', 'bf61', 'b161 ff', 'be00']) {
      const { kinds, handled } = await say(`40 02 1234 ${rest}`);
      expect([kinds, handled]).toEqual([['RST 0.00'], []]);
    }
  },
);

shows('4.2', 'MUST', 'a Confirmable response nobody asked for is rejected by a Reset', async () => {
  expect(await replies(['41 45 1234 aa ff 61', '40 84 1234', '40 a0 1234'])).toEqual(Array(3).fill('RST 0.00'));
});

shows('4.2', 'MUST', 'a Reset of ours is Empty and has the message id of what it rejects', async () => {
  const harness = new Harness(() => ({ code: '2.05' }));
  for (const datagram of ['40 00 1234', '4f 01 1235 aa', '41 45 1236 aa ff 61']) harness.client.send(hex(datagram));
  await harness.clock.advance(10);
  expect(harness.client.raw.map((datagram) => datagram.toString('hex'))).toEqual(['70001234', '70001235', '70001236']);
});

shows('4.2', 'MUST NOT', 'an Acknowledgement or a Reset is never answered, whatever is in it', async () => {
  const bodies = ['00 1234', '01 1234 b161', '45 1234 ff61', '21 1234', 'c1 1234', '01 1234 b561', '00 1234 ff'];
  expect(await replies(bodies.map((body) => `60 ${body}`))).toEqual(bodies.map(() => ''));
  expect(await replies(bodies.map((body) => `70 ${body}`))).toEqual(bodies.map(() => ''));
});

shows(
  '4.2',
  'describes',
  'an Acknowledgement with a request or a reserved code class is ignored: no handler, no effect',
  async () => {
    const { harness, client, source } = await notified();
    const id = client.last.messageId.toString(16).padStart(4, '0');
    for (const code of ['01', '02', '1f', '21', '61', 'c1']) client.send(hex(`60 ${code} ${id}`));
    client.send(hex(`60 00 ${id} 00`));
    await harness.clock.advance(5_000);
    expect(source.events).toEqual(['sent news']);
    expect(client.received.map(kind)).toEqual(['CON 2.05', 'CON 2.05']);
  },
);

shows('4.2', 'describes', 'a Reset that is not Empty is ignored: the message it names goes on', async () => {
  const { harness, client, source } = await notified();
  const id = client.last.messageId.toString(16).padStart(4, '0');
  for (const rest of ['45', '01', 'c1']) client.send(hex(`70 ${rest} ${id}`));
  client.send(hex(`70 00 ${id} 00`));
  client.send(hex(`71 00 ${id} 01`));
  await harness.clock.advance(5_000);
  expect(source.ends).toEqual([]);
  expect(client.received.map(kind)).toEqual(['CON 2.05', 'CON 2.05']);
});

shows('4.2', 'describes', 'an Acknowledgement in time is success, and ends the repetitions', async () => {
  const { harness, client, source } = await notified();
  client.acknowledge(client.last);
  await harness.clock.advance(200_000);
  expect(client.received).toHaveLength(1);
  expect(source.events).toEqual(['sent news', 'delivered news']);
});

shows('4.2', 'describes', 'a Reset cancels the transmission, and whoever sent it hears of the failure', async () => {
  const { harness, client, source } = await notified();
  client.reset(client.last);
  await harness.clock.advance(200_000);
  expect(client.received).toHaveLength(1);
  expect([source.events, source.ends]).toEqual([['sent news'], ['reset']]);
});

shows(
  '4.2',
  'describes',
  'after the last time-out the transmission is cancelled, and whoever sent it hears of it',
  async () => {
    const { harness, client, source } = await notified();
    await harness.clock.advance(200_000);
    expect(client.received).toHaveLength(5);
    expect([source.events, source.ends]).toEqual([['sent news'], ['timeout']]);
  },
);

shows('4.2', 'describes', 'an Acknowledgement that comes after the last time-out has no effect', async () => {
  const { harness, client, source } = await notified();
  await harness.clock.advance(200_000);
  client.acknowledge(client.last);
  await harness.clock.advance(10);
  expect(source.events).toEqual(['sent news']);
  expect(harness.metric('dropped_total', { reason: 'stray_acknowledgement' })).toBe(1);
});

shows('4.2', 'describes', 'a repetition is the same message, byte by byte', async () => {
  const { harness, client } = await notified();
  await harness.clock.advance(200_000);
  expect(new Set(client.raw.slice(-5).map((datagram) => datagram.toString('hex'))).size).toBe(1);
});

shows('4.2', 'MAY', 'a notification of an observation that has ended is not repeated any more', async () => {
  const { harness, client, source } = await notified();
  source.relation?.end();
  await harness.clock.advance(200_000);
  expect(client.received).toHaveLength(1);
});

shows(
  '4.2',
  'MUST',
  'the Acknowledgement of a request is sent again for a repeated request even when the separate response was acknowledged',
  async () => {
    const harness = slow(1_000);
    const datagram = harness.client.request({ messageId: 77 });
    await harness.clock.advance(5_000);
    expect(harness.client.take().map(kind)).toEqual(['ACK 0.00', 'CON 2.05']);
    harness.client.send(datagram);
    await harness.clock.advance(200_000);
    expect(harness.client.received).toMatchObject([{ ack: true, code: '0.00', messageId: 77 }]);
    expect(harness.calls).toBe(1);
  },
);

shows(
  '4.2',
  'describes',
  'the server acknowledges after COAP_PIGGYBACK_TIMEOUT at the latest, well before the client repeats',
  async () => {
    const harness = slow(10_000, { piggybackTimeout: 300 });
    const arrivals = watch(harness, harness.client);
    harness.client.request({});
    await harness.clock.advance(9_000);
    expect(arrivals.map(({ packet }) => kind(packet))).toEqual(['ACK 0.00']);
    expect(arrivals[0]?.at).toBeGreaterThanOrEqual(300);
    expect(arrivals[0]?.at).toBeLessThan(350);
  },
);

leaves(
  '4.2',
  'MAY',
  'ICMP errors end a transmission early',
  'a socket for many peers is not told which datagram an error is about; the last time-out ends it',
);
