import type { FakeClient } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { observed, told } from '../../../packages/coap-transport/src/endpoint/testing/observed';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 7641');
const types = (client: FakeClient) => told(client).map((line) => line.slice(0, 3));

shows('4.5.1', 'MUST', 'of one observation at most one CON notification is unacknowledged', async () => {
  const { harness, client, source, register } = observed();
  await register();
  client.acknowledges = false;
  client.take();
  for (const payload of ['1', '2', '3']) source().notify(payload);
  await harness.clock.advance(1_000);
  expect(told(client)).toEqual(['CON 2.05 #1 1']);
});

shows(
  '4.5.1',
  'MUST',
  'of all observations of one client at most NSTART CON notifications are unacknowledged: one',
  async () => {
    const { harness, client, sources, register } = observed();
    for (const token of ['aa', 'bb', 'cc']) await register(true, token);
    client.acknowledges = false;
    client.take();
    for (const source of sources) source.notify('x');
    const order: string[] = [];
    for (let i = 0; i < 3; i++) {
      await harness.clock.advance(1_000);
      expect(client.received).toHaveLength(1);
      order.push(client.last.token.toString('hex'));
      client.acknowledge(client.last);
      client.take();
    }
    expect(order.sort()).toEqual(['aa', 'bb', 'cc']);
  },
);

shows('4.5.1', 'MUST', 'a client that does not acknowledge holds up no other client', async () => {
  const { harness, client, sources, register } = observed();
  const other = harness.another();
  await register();
  await register(true, 'aa', other);
  client.acknowledges = false;
  other.take();
  for (const source of sources) source.notify('x');
  await harness.clock.advance(20);
  expect(told(other)).toEqual(['CON 2.05 #1 x']);
});

shows('4.5.1', 'SHOULD NOT', 'more than one NON notification per round trip goes to a client, on average', async () => {
  const { harness, client, sources, register } = observed({ nonBurst: 4 });
  harness.network.conditions = { delay: 100 };
  await register(false, 'aa');
  await register(false, 'bb');
  await harness.clock.advance(1_000);
  client.take();
  const seconds = 20;
  for (let i = 0; i < seconds * 20; i++) {
    for (const source of sources) source.notify(`${i}`);
    await harness.clock.advance(50);
  }
  const nons = types(client).filter((type) => type === 'NON').length;
  // Round trips of 200 ms, or 220 with the turns of the timers; four at once in the beginning.
  expect(nons).toBeGreaterThan(seconds * 3);
  expect(nons).toBeLessThanOrEqual(seconds * 5 + 4);
});

shows(
  '4.5.1',
  'SHOULD NOT',
  'more than one NON notification in 3 s goes to a client whose round trip is not known',
  async () => {
    const { harness, client, source, register } = observed({ nonBurst: 1 });
    await register(false);
    client.acknowledges = false;
    client.take();
    source().notify('1');
    source().notify('2');
    await harness.clock.advance(4_000);
    const repetition = client.last;
    expect(types(client)).toEqual(['NON', 'CON', 'CON']);
    // Which of the two it answers cannot be told, so it measures nothing.
    client.acknowledge(repetition);
    source().notify('3');
    await harness.clock.advance(2_900);
    source().notify('4');
    await harness.clock.advance(20);
    expect(types(client)).toEqual(['NON', 'CON']);
  },
);

shows(
  '4.5.1',
  'describes',
  'what NON notifications may not carry goes as CON at once, so that nobody who is there waits',
  async () => {
    const { harness, client, source, register } = observed({ nonBurst: 2 });
    await register(false);
    client.take();
    for (let i = 0; i < 4; i++) source().notify(`${i}`);
    await harness.clock.advance(20);
    expect(types(client)).toEqual(['NON', 'NON', 'CON', 'NON']);
  },
);

shows(
  '7',
  'SHOULD',
  'to a client that never acknowledges go a limited number of NON notifications, and then one CON',
  async () => {
    const { harness, client, sources, register } = observed({ nonBurst: 8 });
    await register(false, 'aa');
    await register(false, 'bb');
    client.acknowledges = false;
    client.take();
    for (let minute = 0; minute < 30; minute++) {
      for (const source of sources) source.notify(`${minute}`);
      await harness.clock.advance(60_000);
    }
    expect(types(client)).toEqual([...Array(8).fill('NON'), ...Array(5).fill('CON')]);
    expect(harness.metric('observations')).toBe(0);
  },
);

shows('7', 'describes', 'how many observations there are in all and of one client is limited', async () => {
  const { harness, client, register } = observed({ maxObservations: 3, maxObservationsPerPeer: 2 });
  for (const token of ['01', '02', '03']) await register(true, token);
  expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'ACK 2.05 #0 {}', 'ACK 2.05 plain']);
  for (let port = 1; port <= 2; port++) await register(true, '01', harness.another('10.0.0.9', port));
  expect(harness.metric('observations')).toBe(3);
});

leaves(
  '5',
  'describes',
  'an intermediary observes on behalf of its clients',
  'there is no proxy here: a request with Proxy-Uri is answered 5.05',
);
