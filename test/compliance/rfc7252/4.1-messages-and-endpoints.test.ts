import { statementsOf } from '../statement';
import { Harness, kind, replies } from './talk';

const { shows } = statementsOf('RFC 7252');

shows('4.1', 'describes', 'without security an endpoint is an IP address and a UDP port, both of them', async () => {
  let calls = 0;
  const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
  const clients = [harness.client, harness.another('10.0.0.1', 40_001), harness.another('10.0.0.2', 40_000)];
  for (const client of clients) client.request({ messageId: 7 });
  await harness.clock.advance(10);
  expect(clients.map((client) => client.last.payload.toString())).toEqual(['1', '2', '3']);
});

shows('9.1.1', 'MUST', 'under security messages belong together only within one session', async () => {
  let calls = 0;
  const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
  harness.client.socket.session = {};
  const datagram = harness.client.request({});
  await harness.clock.advance(10);
  harness.client.socket.session = {};
  harness.client.send(datagram);
  await harness.clock.advance(10);
  expect(harness.client.received.map((packet) => packet.payload.toString())).toEqual(['1', '2']);
});

shows(
  '4.1',
  'MUST',
  'an Empty message with a token or with bytes behind the message id is a message format error',
  async () => {
    expect(await replies(['41 00 1234 aa', '40 00 1234 00', '40 00 1234 ff 61'])).toEqual(Array(3).fill('RST 0.00'));
    expect(await replies(['51 00 1234 aa', '60 00 1234 00', '70 00 1234 00'])).toEqual(['', '', '']);
  },
);

shows('4.1', 'MUST', 'an Empty message of ours is four bytes, without a token', async () => {
  const harness = new Harness(() => new Promise(() => {}));
  harness.client.request({ token: Buffer.from('0102030405060708', 'hex'), messageId: 0xabcd });
  harness.client.send(Buffer.from('40001234', 'hex'));
  await harness.clock.advance(1_000);
  expect(harness.client.received.map(kind)).toEqual(['RST 0.00', 'ACK 0.00']);
  expect(harness.client.raw.map((datagram) => datagram.toString('hex'))).toEqual(['70001234', '6000abcd']);
});
