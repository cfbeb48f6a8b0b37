import { statementsOf } from '../statement';
import { Harness, say } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows('5.5', 'MUST', 'a payload in a request whose method has none, as GET, is no obstacle', async () => {
  const without = await say('41 01 1234 aa b161');
  const withOne = await say('41 01 1234 aa b161 ff 7b7d');
  expect(withOne.packets).toEqual(without.packets);
});

shows('5.5.1', 'describes', 'the Content-Format of a payload is told with it', async () => {
  const { packets } = await say('41 01 1234 aa b161', { code: '2.05', payload: '{}', contentFormat: 50 });
  expect(packets[0]?.options).toEqual([{ name: 'Content-Format', value: Buffer.from([50]) }]);
});

shows(
  '5.5.2',
  'SHOULD',
  'the payload of an error is empty when there is nothing to say beyond its code; a fault has an id',
  async () => {
    const harness = new Harness(() => {
      throw new Error('not for the outside');
    });
    harness.client.request({});
    harness.client.request({ code: '0.31' });
    harness.client.request({ options: [{ name: '9', value: Buffer.alloc(0) }] });
    await harness.clock.advance(10);
    expect(harness.client.received.map(({ code, payload }) => [code, payload.toString()])).toEqual([
      ['5.00', expect.stringMatching(/^[0-9a-f]{12}$/)],
      ['4.05', ''],
      ['4.02', ''],
    ]);
  },
);

leaves(
  '5.9.2',
  'SHOULD',
  'an error has a diagnostic payload',
  'only a fault of the gateway has one, the id of its line in the log; what went wrong no stranger reads',
);

leaves('5.6', 'MAY', 'responses are cached', 'nothing is cached on the way: this is the origin server');

leaves(
  '5.5.4',
  'describes',
  'a representation is chosen by Accept',
  'every resource has one representation (see 5.10.4)',
);
