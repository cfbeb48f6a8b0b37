import { option } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { observed, told } from '../../../packages/coap-transport/src/endpoint/testing/observed';
import { TestGateway } from '../../../packages/coap-transport/src/testing/test-gateway';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 7641');
const token = Buffer.from('aa', 'hex');

shows('4.1', 'MAY', 'a GET with Observe 0 is answered with Observe, and what changes is told to its peer', async () => {
  const { harness, client, source, register } = observed();
  await register();
  source().notify('changed');
  await harness.clock.advance(10);
  expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'CON 2.05 #1 changed']);
  expect(harness.metric('observations')).toBe(1);
});

shows(
  '4.1',
  'MUST',
  'a registration from a known endpoint with a known token takes the place of the one there is',
  async () => {
    const { harness, client, sources, register } = observed();
    await register();
    await register();
    expect(harness.metric('observations')).toBe(1);
    expect(sources.map(({ ends }) => ends)).toEqual([['replaced'], []]);
    client.take();
    for (const source of sources) source.notify('x');
    await harness.clock.advance(10);
    expect(told(client)).toHaveLength(1);
  },
);

shows(
  '4.1',
  'describes',
  'an entry is known by endpoint and token: another port or another token is another entry',
  async () => {
    const { harness, client, register } = observed();
    await register(true, 'aa');
    await register(true, 'bb');
    await register(true, 'aa', harness.another(client.socket.local.address, 40_001));
    await register(true, 'aa', harness.another('10.0.0.2', 40_000));
    expect(harness.metric('observations')).toBe(4);
  },
);

shows('4.1', 'MAY', 'one that cannot be added is answered without Observe, like a GET', async () => {
  const { harness, client, register } = observed({ maxObservations: 1 });
  await register(true, 'aa');
  await register(true, 'bb');
  expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'ACK 2.05 plain']);
  expect(harness.metric('observations')).toBe(1);
});

shows(
  '4.1',
  'MAY',
  'beyond COAP_MAX_OBSERVATIONS attributes are told once; commands are 5.03 with Max-Age',
  async () => {
    const gateway = await TestGateway.start({ settings: { COAP_MAX_OBSERVATIONS: '1' } });
    try {
      const [first, second] = [await gateway.device(), await gateway.device()];
      const client = await gateway.client();
      await gateway.share(second, { a: '1' });
      const ask = (name: string, feature: string) =>
        client.ask({ path: `api/v1/${name}/${feature}`, observe: 0, token: client.newToken() });
      expect(await ask(first.token, 'attributes')).toMatchObject({ kind: 'ACK 2.05', observe: 0 });
      expect(await ask(second.token, 'attributes')).toMatchObject({
        kind: 'ACK 2.05',
        observe: undefined,
        text: '{"shared":{"a":1}}',
      });
      const refused = await ask(second.token, 'rpc');
      expect(refused).toMatchObject({ kind: 'ACK 5.03', observe: undefined, maxAge: 60 });
      expect(gateway.observations).toBe(1);
    } finally {
      await gateway.stop();
    }
  },
);

shows(
  '4.1',
  'MUST',
  'a GET with Observe 1 and the token of an entry removes it; the response has no Observe',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    client.request({ observe: 1, token });
    await harness.clock.advance(10);
    source().notify('unheard');
    await harness.clock.advance(1_000);
    expect(client.received.map((packet) => option(packet, 'Observe'))).toEqual([undefined]);
    expect([source().ends, harness.metric('observations')]).toEqual([['deregistered'], 0]);
  },
);

leaves(
  '4.1',
  'MUST',
  'a GET with Observe 1 is processed like any other, so that its response is the state of the resource',
  'one that ends an observation is answered 2.02 without a payload: that is what devices of the contract expect',
);

shows(
  '4.1',
  'describes',
  'the list of observers is one of a resource: Observe 1 for another path leaves the entry alone, whatever its token',
  async () => {
    const { harness, source, client, register } = observed();
    await register();
    client.request({ observe: 1, token, path: ['another'] });
    await harness.clock.advance(10);
    expect([source().ends, harness.metric('observations')]).toEqual([[], 1]);
  },
);

shows(
  '4.1',
  'MUST',
  'Observe 1 with a token that nobody registered changes nothing and is answered like a GET',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    client.request({ observe: 1, token: Buffer.from('bb', 'hex') });
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['ACK 2.05 plain']);
    expect([source().ends, harness.metric('observations')]).toEqual([[], 1]);
  },
);

shows('2', 'describes', 'Observe of another value, or in anything but a GET, asks for nothing', async () => {
  const { harness, client, requests } = observed();
  client.request({ observe: 2 });
  client.request({ observe: 0, code: 'POST' });
  await harness.clock.advance(10);
  expect(requests.map(({ observe }) => observe)).toEqual([undefined, undefined]);
  expect(told(client)).toEqual(['ACK 2.05 plain', 'ACK 2.05 plain']);
});

leaves(
  '4.1',
  'describes',
  'a resource can be observed with ETag options, and 2.03 then says that a known representation is current',
  'a notification is what has changed and no representation that a client could know',
);
