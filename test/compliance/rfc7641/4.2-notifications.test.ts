import { kind, option } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { observed, told } from '../../../packages/coap-transport/src/endpoint/testing/observed';
import { TestGateway } from '../../../packages/coap-transport/src/testing/test-gateway';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 7641');

shows('4.2', 'MUST', 'each notification has the token of the registration', async () => {
  const { harness, client, source, register } = observed();
  await register(true, 'a1b2c3d4e5f60718');
  for (const payload of ['1', '2']) source().notify(payload);
  await harness.clock.advance(20);
  expect(client.received.map((packet) => packet.token.toString('hex'))).toEqual(Array(3).fill('a1b2c3d4e5f60718'));
});

shows('4.2', 'MUST', 'the token of a registration may be empty', async () => {
  const { harness, client, source, register } = observed();
  await register(true, '');
  source().notify('1');
  await harness.clock.advance(20);
  expect(client.received.map((packet) => packet.token.length)).toEqual([0, 0]);
  expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'CON 2.05 #1 1']);
});

shows('4.2', 'MUST', 'all notifications of the attributes have the Content-Format of the response', async () => {
  const gateway = await TestGateway.start();
  try {
    const device = await gateway.device();
    const client = await gateway.client();
    const token = Buffer.from('a1', 'hex');
    const first = await client.ask({ path: `api/v1/${device.token}/attributes`, observe: 0, token });
    await gateway.share(device, { x: '1' });
    const second = await client.notification(token);
    await gateway.unshare(device, 'x');
    const third = await client.notification(token);
    expect([first, second, third].map(({ format, observe }) => [format, observe])).toEqual([
      [50, 0],
      [50, 1],
      [50, 2],
    ]);
  } finally {
    await gateway.stop();
  }
});

leaves(
  '4.2',
  'MUST',
  'all notifications of commands have the Content-Format of the response',
  'that response is an empty 2.03, which has none; the commands that follow are JSON and say so',
);

shows(
  '4.2',
  'SHOULD',
  'once a GET would fail, the observer is told with that code, without Observe, and is an observer no more',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    source().relation?.end({ code: '4.04' });
    source().notify('too late');
    await harness.clock.advance(1_000);
    expect(told(client)).toEqual(['CON 4.04']);
    expect(harness.metric('observations')).toBe(0);
  },
);

shows('4.2', 'MUST', 'a registration that fails when it is repeated ends the observation', async () => {
  let fails = false;
  const { harness, client, sources, register } = observed({}, () => (fails ? { code: '4.01' } : undefined));
  await register();
  fails = true;
  await register();
  expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'ACK 4.01']);
  expect([sources[0]?.ends, harness.metric('observations')]).toEqual([['replaced'], 0]);
});

shows('4.2', 'SHOULD', 'observers of a device that is deleted get a last message without Observe', async () => {
  const gateway = await TestGateway.start();
  try {
    const device = await gateway.device();
    const client = await gateway.client();
    const token = Buffer.from('a1', 'hex');
    await client.ask({ path: `api/v1/${device.token}/attributes`, observe: 0, token });
    await gateway.remove(device);
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    expect(gateway.observations).toBe(0);
  } finally {
    await gateway.stop();
  }
});

leaves(
  '4.2',
  'SHOULD',
  'the code of that last message is the one a GET would get, such as 4.04',
  'the contract has 2.02 for every end that is no fault of the observer; a GET after it gets 4.01',
);

shows('4.2', 'SHOULD', 'when the server stops, every observer gets a 5.03 without Observe', async () => {
  const { harness, client, register } = observed();
  const other = harness.another();
  await register(true);
  await register(false, 'aa', other);
  client.take();
  other.take();
  const closed = harness.endpoint.close();
  await harness.clock.advance(10);
  await closed;
  expect([client.last, other.last].map((packet) => [kind(packet), option(packet, 'Observe')])).toEqual([
    ['CON 5.03', undefined],
    ['NON 5.03', undefined],
  ]);
});

shows(
  '4.2',
  'describes',
  'of the observations of one device the newest counts: the older one gets 2.02 without Observe',
  async () => {
    const gateway = await TestGateway.start();
    try {
      const device = await gateway.device();
      const [older, newer] = [await gateway.client(), await gateway.client()];
      const token = Buffer.from('a1', 'hex');
      const path = `api/v1/${device.token}/attributes`;
      await older.ask({ path, observe: 0, token });
      await newer.ask({ path, observe: 0, token });
      expect(await older.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined });
      await gateway.share(device, { x: '1' });
      expect(await newer.notification(token)).toMatchObject({ observe: 1 });
      expect(await older.rest()).toEqual([]);
    } finally {
      await gateway.stop();
    }
  },
);

shows(
  '4.3.1',
  'describes',
  'a notification without Max-Age may be kept for 60 s, and there is none: what it says does not age',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    source().notify('1');
    await harness.clock.advance(10);
    expect(client.received.map((packet) => option(packet, 'Max-Age'))).toEqual([undefined, undefined]);
  },
);

leaves(
  '4.3.1',
  'describes',
  'a notification is sent before the Max-Age of the last one is over, so that a cached one stays fresh',
  'notifications tell changes, which nobody caches; a device that wants the whole state asks for it',
);
