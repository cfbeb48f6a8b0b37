import { kind } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 7252');

shows('4.3', 'MUST', 'an Empty Confirmable message (a ping) is answered by a Reset with its message id', async () => {
  const { client, clock } = new Harness(() => ({ code: '2.05' }));
  client.send(Buffer.from([0x40, 0, 0x12, 0x34]));
  await clock.advance(10);
  expect(client.received.map(kind)).toEqual(['RST 0.00']);
  expect(client.last.messageId).toBe(0x1234);
});

leaves(
  '8',
  'SHOULD',
  'requests to a multicast address are answered after a random delay',
  'no multicast group is joined',
);
