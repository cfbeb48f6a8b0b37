import { statementsOf } from '../statement';
import { Harness, option, say } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows(
  '4.6',
  'SHOULD',
  'a message of ours is at most 1152 bytes with a payload of at most 1024, whatever is answered',
  async () => {
    for (const size of [1_000, 1_024, 1_025, 5_000, 100_000]) {
      const harness = new Harness(() => ({
        code: '2.05',
        payload: Buffer.alloc(size, 'x'),
        contentFormat: 50,
        maxAge: 99_999,
      }));
      harness.client.request({ token: Buffer.alloc(8, 1) });
      await harness.clock.advance(10);
      expect(harness.client.raw[0]?.length).toBeLessThanOrEqual(1_152);
      expect(harness.client.last.payload).toHaveLength(Math.min(size, 1_024));
      expect(option(harness.client.last, 'Block2') === undefined).toBe(size <= 1_024);
    }
  },
);

shows('4.6', 'describes', 'a message of 1152 bytes is read', async () => {
  const { kinds, handled } = await say(`41 02 1234 aa b161 ff ${'61'.repeat(1_152 - 8)}`);
  expect(kinds).toEqual(['ACK 2.05']);
  expect(handled[0]?.payload).toHaveLength(1_144);
});

shows('4.6', 'describes', 'a datagram longer than an IP packet of 1280 bytes could hold is rejected', async () => {
  expect((await say(`41 02 1234 aa b161 ff ${'61'.repeat(1_300)}`)).kinds).toEqual(['RST 0.00']);
  expect((await say(`51 02 1234 aa b161 ff ${'61'.repeat(1_300)}`)).kinds).toEqual([]);
});

leaves(
  '4.6',
  'SHOULD',
  'a request whose datagram was cut off is answered 4.13',
  'no datagram is cut off: one of up to 64 kB is received whole, and rejected when it is too long; larger bodies come in blocks',
);
