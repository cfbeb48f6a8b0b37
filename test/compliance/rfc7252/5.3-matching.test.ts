import { statementsOf } from '../statement';
import { Harness, hex, slow } from './talk';

const { shows } = statementsOf('RFC 7252');

const TOKENS = ['', '00', 'ff', '0000', 'ffffff', 'cafebabe', 'ff00ff00ff00ff', '0102030405060708'];

shows(
  '5.3.1',
  'MUST',
  'the token of a request, of 0 to 8 bytes, comes back unchanged in its piggybacked response',
  async () => {
    const harness = new Harness(() => ({ code: '2.05' }));
    for (const token of TOKENS) harness.client.request({ token: hex(token) });
    await harness.clock.advance(10);
    expect(harness.client.received.map(({ token }) => token.toString('hex'))).toEqual(TOKENS);
  },
);

shows('5.3.1', 'MUST', 'and in its separate response', async () => {
  const harness = slow(1_000);
  for (const token of TOKENS) harness.client.request({ token: hex(token) });
  await harness.clock.advance(10_000);
  const responses = harness.client.received.filter(({ confirmable }) => confirmable);
  expect(responses.map(({ token }) => token.toString('hex'))).toEqual(TOKENS);
});

shows('5.3.1', 'MUST', 'and in its Non-confirmable response, and in errors', async () => {
  const harness = new Harness(() => ({ code: '2.05' }));
  for (const token of TOKENS) harness.client.request({ token: hex(token), confirmable: false, code: '0.31' });
  for (const token of TOKENS) harness.client.request({ token: hex(token), options: [{ name: '9', value: hex('') }] });
  await harness.clock.advance(10);
  expect(harness.client.received.map(({ code }) => code)).toEqual([
    ...TOKENS.map(() => '4.05'),
    ...TOKENS.map(() => '4.02'),
  ]);
  expect(harness.client.received.map(({ token }) => token.toString('hex'))).toEqual([...TOKENS, ...TOKENS]);
});

shows(
  '5.3.1',
  'MUST',
  "tokens are opaque: equal ones of two peers, and of two requests of one peer, do not get in each other's way",
  async () => {
    const harness = slow(1_000);
    const other = harness.another();
    for (const client of [harness.client, harness.client, other]) client.request({ token: hex('aa') });
    await harness.clock.advance(10_000);
    const separate = ({ received }: typeof other) => received.filter(({ confirmable }) => confirmable).length;
    expect([harness.calls, separate(harness.client), separate(other)]).toEqual([3, 2, 1]);
  },
);

shows('5.3.2', 'MUST', 'a response comes from the address and port its request was sent to', async () => {
  const harness = slow(1_000);
  const from = new Set<string>();
  harness.client.socket.receive((_datagram, address, port) => from.add(`${address}:${port}`));
  harness.client.request({});
  harness.client.request({ confirmable: false });
  await harness.clock.advance(5_000);
  expect([...from]).toEqual([`${harness.endpoint.local.address}:${harness.endpoint.local.port}`]);
});

shows('5.3.2', 'MUST', 'message id and token of a piggybacked response are those of the request', async () => {
  const harness = new Harness((request) => ({ code: '2.05', payload: request.path.join() }));
  for (let i = 0; i < 50; i++) {
    harness.client.request({ messageId: 1_000 + i, token: Buffer.from([i]), path: [`${i}`] });
  }
  await harness.clock.advance(10);
  expect(
    harness.client.received.map(({ messageId, token, payload }) => [messageId, token[0], payload.toString()]),
  ).toEqual(Array.from({ length: 50 }, (_, i) => [1_000 + i, i, `${i}`]));
});
