import { option } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { observed, told } from '../../../packages/coap-transport/src/endpoint/testing/observed';
import { statementsOf } from '../statement';

const { shows } = statementsOf('RFC 7641');

shows(
  '4.4',
  'MUST',
  'the numbers of an observation grow with each notification, from 0 in the response on',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    for (let i = 0; i < 20; i++) source().notify(`${i}`);
    await harness.clock.advance(1_000);
    expect(client.received.map((packet) => option(packet, 'Observe'))).toEqual(Array.from({ length: 21 }, (_, i) => i));
  },
);

shows('4.4', 'MUST', 'a repetition has the number and message id of what it repeats', async () => {
  const { harness, client, source, register } = observed();
  await register();
  client.acknowledges = false;
  client.take();
  source().notify('1');
  await harness.clock.advance(20_000);
  expect(client.raw.length).toBeGreaterThan(2);
  expect(new Set(client.raw.map((datagram) => datagram.toString('hex'))).size).toBe(1);
});

shows(
  '4.4',
  'MUST',
  'the number goes on over a repeated registration: a client may ignore lower ones for 128 s',
  async () => {
    const { harness, client, source, register } = observed();
    await register();
    for (const payload of ['1', '2']) source().notify(payload);
    await harness.clock.advance(20);
    await register();
    source().notify('3');
    await harness.clock.advance(20);
    await register();
    expect(client.received.map((packet) => option(packet, 'Observe'))).toEqual([0, 1, 2, 3, 4, 5]);
  },
);

shows('4.4', 'MUST', 'the number has 24 bits, and 0 follows the greatest', async () => {
  const { harness, client, source, register } = observed();
  await register();
  (source().relation as unknown as { number: number }).number = 0xfffffe;
  client.take();
  for (const payload of ['a', 'b', 'c']) source().notify(payload);
  await harness.clock.advance(20);
  expect(told(client)).toEqual(['CON 2.05 #16777215 a', 'CON 2.05 #0 b', 'CON 2.05 #1 c']);
});

shows('4.4', 'MUST', 'half of the numbers last longer than 256 s, however fast something changes', async () => {
  const { harness, client, source, register } = observed();
  await register(false);
  client.take();
  for (let i = 0; i < 5_000; i++) source().notify(`${i}`);
  await harness.clock.advance(1_000);
  expect(client.received.length).toBeGreaterThan(500);
  expect(client.received.length * 256).toBeLessThan(2 ** 23);
});

shows('3.4', 'describes', 'the numbers of two observations have nothing to do with each other', async () => {
  const { harness, client, sources, register } = observed();
  await register(true, 'aa');
  sources[0]?.notify('1');
  await harness.clock.advance(20);
  await register(true, 'bb');
  client.take();
  for (const source of sources) source.notify('x');
  await harness.clock.advance(100);
  expect(client.received.map((p) => `${p.token.toString('hex')} ${option(p, 'Observe')}`)).toEqual(['aa 2', 'bb 1']);
});
