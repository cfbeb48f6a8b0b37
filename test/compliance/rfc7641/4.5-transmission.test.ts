import { kind } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { observed, told } from '../../../packages/coap-transport/src/endpoint/testing/observed';
import { type TestDevice, TestGateway, until } from '../../../packages/coap-transport/src/testing/test-gateway';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 7641');
const DAY = 24 * 3_600_000;

for (const [confirmable, type] of [
  [true, 'CON'],
  [false, 'NON'],
] as const) {
  shows('4.5', 'MAY', `notifications are ${type} where the registration was`, async () => {
    const { harness, client, source, register } = observed();
    await register(confirmable);
    client.take();
    for (const payload of ['1', '2']) source().notify(payload);
    await harness.clock.advance(20);
    expect(client.received.map(kind)).toEqual([`${type} 2.05`, `${type} 2.05`]);
  });
}

shows('4.5', 'MUST', 'an observer with NON notifications gets one as CON at least every 24 hours', async () => {
  const { harness, client, source, register } = observed();
  await register(false);
  client.take();
  source().notify('1');
  await harness.clock.advance(DAY);
  for (const payload of ['2', '3']) source().notify(payload);
  await harness.clock.advance(20);
  expect(told(client)).toEqual(['NON 2.05 #1 1', 'CON 2.05 #2 2', 'NON 2.05 #3 3']);
});

for (const confirmable of [true, false]) {
  const type = confirmable ? 'CON' : 'NON';
  shows('4.5', 'MUST', `a Reset to a ${type} notification removes the entry, and that one alone`, async () => {
    const { harness, client, sources, register } = observed();
    await register(confirmable, 'aa');
    await register(confirmable, 'bb');
    client.acknowledges = false;
    sources[0]?.notify('1');
    await harness.clock.advance(10);
    client.reset(client.last);
    client.acknowledges = true;
    await harness.clock.advance(10);
    expect(sources.map(({ ends }) => ends)).toEqual([['reset'], []]);
    client.take();
    for (const source of sources) source.notify('2');
    await harness.clock.advance(1_000);
    expect(client.received.map((packet) => packet.token.toString('hex'))).toEqual(['bb']);
  });
}

shows(
  '4.5',
  'describes',
  'a CON notification without an acknowledgement is repeated until its last time-out',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.acknowledges = false;
    client.take();
    source().notify('1');
    await harness.clock.advance(100_000);
    expect(client.received).toHaveLength(5);
    expect(source().ends).toEqual(['timeout']);
  },
);

shows(
  '4.5',
  'MUST',
  'after the last time-out the client is no observer of anything, and nothing is kept of it',
  async () => {
    const { harness, client, sources, register } = observed();
    const other = harness.another();
    await register(true, 'aa');
    await register(false, 'bb');
    await register(true, 'cc');
    await register(true, 'aa', other);
    client.acknowledges = false;
    client.take();
    for (const source of sources) source.notify('1');
    await harness.clock.advance(100_000);
    expect(sources.map(({ ends }) => ends)).toEqual([['timeout'], ['timeout'], ['timeout'], []]);
    expect(harness.metric('observations')).toBe(1);
    client.take();
    for (const source of sources) source.notify('2');
    await harness.clock.advance(1_000);
    expect(client.received).toEqual([]);
    expect(told(other).at(-1)).toBe('CON 2.05 #2 2');
  },
);

shows(
  '4.5',
  'MUST',
  'what the domain keeps of an observer goes with it: listeners, wake-ups and sessions',
  async () => {
    const gateway = await TestGateway.start({
      settings: { TANDEM_COAP_ACK_TIMEOUT: '100', TANDEM_COAP_MAX_RETRANSMIT: '0' },
    });
    try {
      const device = await gateway.device();
      const client = await gateway.client();
      client.acknowledges = false;
      const token = Buffer.from('a1', 'hex');
      await client.ask({ path: `api/v1/${device.token}/attributes`, observe: 0, token });
      await client.ask({ path: `api/v1/${device.token}/rpc`, observe: 0, token: Buffer.from('b1', 'hex') });
      expect([gateway.observations, gateway.sessionEndListeners]).toEqual([2, 2]);
      await gateway.share(device, { x: '1' });
      await client.notification(token);
      await until(() => gateway.observations === 0);
      expect(gateway.sessionEndListeners).toBe(0);
      expect(gateway.gauge('tandem_devices_watched')).toBe(0);
      await gateway.core.connectivity.flush();
      expect(gateway.gauge('tandem_sessions')).toBe(0);
    } finally {
      await gateway.stop();
    }
  },
);

shows('4.5', 'describes', 'an observer that acknowledges stays one, however long nothing changes', async () => {
  const { harness, client, source, register } = observed();
  await register();
  await harness.clock.advance(30 * DAY);
  client.take();
  source().notify('1');
  await harness.clock.advance(20);
  expect(told(client)).toEqual(['CON 2.05 #1 1']);
});

shows(
  '4.5.2',
  'describes',
  'attributes that change while one notification is unacknowledged are told in the next one',
  async () => {
    await observing('attributes', async (gateway, device, client, token) => {
      client.acknowledges = false;
      await gateway.share(device, { a: '1' });
      const first = await client.notification(token);
      await gateway.share(device, { a: '2', b: '1' });
      await gateway.share(device, { a: '3' });
      expect(await client.rest()).toEqual([]);
      client.acknowledges = true;
      client.acknowledge(first);
      const next = await client.notification(token);
      expect([next.observe, JSON.parse(next.text)]).toEqual([2, { a: 3, b: 1 }]);
      expect(await client.rest()).toEqual([]);
    });
  },
);

shows(
  '4.5.2',
  'describes',
  'commands that come while one notification is unacknowledged follow one by one',
  async () => {
    await observing('rpc', async (gateway, device, client, token) => {
      client.acknowledges = false;
      for (const method of ['a', 'b', 'c']) await gateway.command(device, { method });
      const first = await client.notification(token);
      expect(await client.rest()).toEqual([]);
      client.acknowledges = true;
      client.acknowledge(first);
      const others = [await client.notification(token), await client.notification(token)];
      expect([first, ...others].map(({ text }) => (JSON.parse(text) as { method: string }).method)).toEqual([
        'a',
        'b',
        'c',
      ]);
      expect(await client.rest()).toEqual([]);
    });
  },
);

leaves(
  '4.5.2',
  'MAY',
  'a notification that is being repeated gives way to a newer one, which takes over its time-out and its count',
  'each notification tells a change and not the state: the older one may not be dropped, so it is repeated to its end',
);

shows(
  '1.3',
  'describes',
  'over a network that loses, doubles and delays, an observer ends with every change told',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    harness.network.conditions = { loss: 0.3, duplication: 0.1, delay: 20, jitter: 200 };
    for (let i = 0; i < 20; i++) source().notify(`${i}`);
    await harness.clock.advance(900_000);
    const first = new Map(client.received.filter((p) => p.confirmable).map((p) => [p.messageId, `${p.payload}`]));
    expect([...first.values()]).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  },
);

/** An observation of one device at a gateway. */
async function observing(
  feature: 'attributes' | 'rpc',
  run: (
    gateway: TestGateway,
    device: TestDevice,
    client: Awaited<ReturnType<TestGateway['client']>>,
    token: Buffer,
  ) => Promise<void>,
): Promise<void> {
  const gateway = await TestGateway.start();
  try {
    const device = await gateway.device();
    const client = await gateway.client();
    const token = Buffer.from('a1', 'hex');
    await client.ask({ path: `api/v1/${device.token}/${feature}`, observe: 0, token });
    await run(gateway, device, client, token);
  } finally {
    await gateway.stop();
  }
}
