import { TandemError } from '../../../packages/core/src/index';
import { statementsOf } from '../statement';
import { Harness, kind, option, replies, say } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows('5.8', 'MUST', 'a method that is not known is answered by a piggybacked 4.05, and nothing is done', async () => {
  for (const code of ['08', '09', '10', '1e', '1f']) {
    const { kinds, handled } = await say(`41 ${code} 1234 aa b161`);
    expect([kinds, handled]).toEqual([['ACK 4.05'], []]);
  }
});

shows(
  '5.8',
  'describes',
  'a method that is not known in a Non-confirmable request is answered 4.05 as well',
  async () => {
    expect(await replies(['51 1f 1234 aa b161'])).toEqual(['NON 4.05']);
  },
);

shows('5.8', 'describes', 'GET, POST, PUT and DELETE reach the handler under their names', async () => {
  const methods = [];
  for (const code of ['01', '02', '03', '04']) methods.push((await say(`41 ${code} 1234 aa b161`)).handled[0]?.method);
  expect(methods).toEqual(['GET', 'POST', 'PUT', 'DELETE']);
});

shows('5.9.2.9', 'SHOULD', 'a 4.13 says in Size1 how large a body may be', async () => {
  const harness = new Harness(() => ({ code: '2.04' }), { maxBody: 100 });
  for (let number = 0; number < 3; number++) {
    // 64 bytes each, more to come.
    harness.client.request({ code: 'POST', block1: (number << 4) | 0x8 | 2, payload: Buffer.alloc(64) });
    await harness.clock.advance(10);
  }
  const refused = harness.client.received.find(({ code }) => code === '4.13');
  if (refused === undefined) throw new Error('nothing was refused');
  expect(option(refused, 'Size1')).toBe(100);
});

shows('5.9.3.4', 'describes', 'a 5.03 says in Max-Age after how many seconds to try again', async () => {
  const harness = new Harness(() => new Promise(() => {}), { maxRunning: 1 });
  harness.client.request({});
  harness.client.request({});
  await harness.clock.advance(10);
  expect(harness.client.received.map(kind)).toEqual(['ACK 5.03']);
  expect(option(harness.client.last, 'Max-Age')).toBeGreaterThan(0);
});

shows('5.9.3.4', 'describes', 'so does one that a failing store causes', async () => {
  const harness = new Harness(() => {
    throw new TandemError('STORE_UNAVAILABLE', { retryAfter: 2_500 });
  });
  harness.client.request({});
  await harness.clock.advance(10);
  expect(kind(harness.client.last)).toBe('ACK 5.03');
  expect(option(harness.client.last, 'Max-Age')).toBe(3);
});

shows('5.9.3.5', 'describes', 'a request that runs into its time limit is answered 5.04', async () => {
  const harness = new Harness(() => new Promise(() => {}), { handlerTimeout: 400, piggybackTimeout: 500 });
  harness.client.request({ confirmable: false });
  await harness.clock.advance(1_000);
  expect(harness.client.received.map(kind)).toEqual(['NON 5.04']);
});

leaves(
  '5.9.1.3',
  'MUST',
  'a 2.03 has an ETag',
  "the device API answers the registration for commands by an empty 2.03, which is how ThingsBoard's devices know it",
);

leaves(
  '5.8.2',
  'SHOULD',
  'a 2.01 tells the location of what was created',
  'telemetry and attributes have no location of their own: they are read where they were written',
);
