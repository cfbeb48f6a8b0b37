import { statementsOf } from '../statement';
import { Harness, option, replies, say } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows(
  '5.10.1',
  'describes',
  'Uri-Path and Uri-Query are taken byte by byte: no percent-decoding, no splitting at / or &',
  async () => {
    // "%41", "a/b", "" and "x=%31&y"
    const { handled } = await say('41 01 1234 aa b3 253431 03 612f62 00 47 783d25333126 79');
    expect([handled[0]?.path, handled[0]?.query]).toEqual([['%41', 'a/b', ''], ['x=%31&y']]);
  },
);

shows('5.10.1', 'describes', '"." and ".." have no special meaning in a path', async () => {
  const { handled } = await say('41 01 1234 aa b161 02 2e2e 01 2e');
  expect(handled[0]?.path).toEqual(['a', '..', '.']);
});

shows('5.10.1', 'describes', 'any Uri-Host and Uri-Port are served: the server has one set of resources', async () => {
  const { kinds, handled } = await say('41 01 1234 aa 3b 6578616d706c652e636f6d 42 1633 41 61');
  expect([kinds, handled[0]?.path]).toEqual([['ACK 2.05'], ['a']]);
});

shows('5.10.2', 'MUST', 'a request with Proxy-Uri is answered 5.05, and nothing is done', async () => {
  const { kinds, handled } = await say('41 02 1234 aa d7 16 636f61703a2f2f');
  expect([kinds, handled]).toEqual([['ACK 5.05'], []]);
});

shows('5.10.2', 'MUST', 'so is one with Proxy-Uri of 1034 bytes', async () => {
  expect(await replies([`41 02 1234 aa de 16 02fd ${'61'.repeat(1_034)}`])).toEqual(['ACK 5.05']);
});

shows('5.10.2', 'MUST', 'Proxy-Uri counts before Uri-Host, Uri-Port, Uri-Path and Uri-Query', async () => {
  const { kinds, handled } = await say('41 02 1234 aa 31 61 41 16 41 61 41 78 d3 07 613a62');
  expect([kinds, handled]).toEqual([['ACK 5.05'], []]);
});

shows('5.7.2', 'MUST', 'so is one with Proxy-Scheme', async () => {
  const { kinds, handled } = await say('41 02 1234 aa b161 d4 0f 636f6170');
  expect([kinds, handled]).toEqual([['ACK 5.05'], []]);
});

shows('5.7.2', 'MUST', 'a Non-confirmable one is answered 5.05 as well', async () => {
  expect(await replies(['51 02 1234 aa d3 16 613a62', '51 02 1234 aa b161 d4 0f 636f6170'])).toEqual([
    'NON 5.05',
    'NON 5.05',
  ]);
});

leaves(
  '5.7.2',
  'MUST',
  'a proxy request that names this server itself is served as a local one',
  'behind NAT and load balancers the server does not know its names and addresses, and no device needs a proxy to reach it',
);

shows('5.10.3', 'describes', 'without Content-Format no format is assumed for a request', async () => {
  const { handled } = await say('41 02 1234 aa b161 ff 7b7d');
  expect(handled[0]?.contentFormat).toBeUndefined();
});

shows('5.10.5', 'describes', 'Max-Age goes from 0 to 2^32 - 1 seconds', async () => {
  for (const maxAge of [0, 60, 2 ** 32 - 1]) {
    const { packets } = await say('41 01 1234 aa b161', { code: '2.05', maxAge });
    const packet = packets[0];
    expect(packet && option(packet, 'Max-Age')).toBe(maxAge);
  }
});

shows('5.10.5', 'describes', 'Max-Age in a request means nothing and is ignored', async () => {
  expect(await replies(['41 01 1234 aa b161 31 3c'])).toEqual(['ACK 2.05']);
});

leaves(
  '5.10.5',
  'SHOULD',
  'Max-Age is made current before each repetition',
  'it is only used for times to try again, which are coarse: a repetition says the same some seconds later',
);

shows('5.10.6.1', 'MUST NOT', 'a response has one ETag at most', async () => {
  const harness = new Harness(() => ({ code: '2.05', payload: Buffer.alloc(3_000), etag: Buffer.from([1, 2]) }));
  harness.client.request({});
  await harness.clock.advance(10);
  expect(harness.client.last.options.filter(({ name }) => name === 'ETag').map(({ value }) => value)).toEqual([
    Buffer.from([1, 2]),
  ]);
});

shows('5.10.6.2', 'MAY', 'ETags in a request, one or several, are no obstacle', async () => {
  expect(await replies(['41 01 1234 aa 41 01 71 61', '41 01 1234 aa 41 01 02 0202 71 61'])).toEqual([
    'ACK 2.05',
    'ACK 2.05',
  ]);
});

shows(
  '5.10.6.2',
  'describes',
  'a GET of a package with the ETag of the current one, among several, is answered 2.03 with that ETag and nothing else',
  async () => {
    const source = { length: 3_000, read: async (_: number, length: number) => Buffer.alloc(length) };
    const harness = new Harness(() => ({ code: '2.05', etag: Buffer.from([1, 2]), contentFormat: 42, source }));
    const told = async (...etags: number[][]) => {
      harness.client.request({ options: etags.map((etag) => ({ name: 'ETag', value: Buffer.from(etag) })) });
      await harness.clock.advance(10);
      const { code, options, payload } = harness.client.last;
      return [code, options.map(({ name }) => name).join(), payload.length];
    };
    expect(await told([7], [1, 2])).toEqual(['2.03', 'ETag', 0]);
    expect(await told([7], [1])).toEqual(['2.05', 'ETag,Content-Format,Block2,Size2', 1_024]);
    // One that is too short or too long is none.
    expect(await told([], [1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual(['2.05', 'ETag,Content-Format,Block2,Size2', 1_024]);
  },
);

leaves(
  '5.10.6.2',
  'describes',
  'a GET with the ETag of the current representation may be answered 2.03 wherever it is',
  'attributes are answered 2.05: they are small, and change between two requests more often than not',
);

shows('5.10.7', 'describes', 'Location-Path and Location-Query in a request mean nothing and are ignored', async () => {
  expect(await replies(['41 02 1234 aa 81 61 31 62 91 63'])).toEqual(['ACK 2.05']);
});

shows(
  '5.10.8',
  'MUST NOT',
  'a request with If-Match or If-None-Match is not performed: conditions are not known here, so it is 4.02',
  async () => {
    for (const options of ['11 01 a161', '10 b161', '11 01 01 02 a161', '50 61 61']) {
      const { kinds, handled } = await say(`41 03 1234 aa ${options}`);
      expect([kinds, handled]).toEqual([['ACK 4.02'], []]);
    }
  },
);

shows('5.10.8', 'MUST NOT', 'a Non-confirmable one is not performed either, and rejected in silence', async () => {
  for (const options of ['11 01 a161', '50 61 61']) {
    const { kinds, handled } = await say(`51 03 1234 aa ${options}`);
    expect([kinds, handled]).toEqual([[], []]);
  }
});

leaves(
  '5.10.8',
  'MUST',
  'a request whose condition is not fulfilled is answered 4.12',
  'no resource takes conditional requests, so their options count as not known (5.4.1)',
);

leaves(
  '5.10.4',
  'MUST',
  'a format asked for by Accept that cannot be had is answered 4.06',
  'the device API ignores Accept, as ThingsBoard does: a device that asks for the wrong format gets the one there is',
);

shows('5.10.9', 'describes', 'Size1 in a request is read and no obstacle', async () => {
  expect(await replies(['41 02 1234 aa b161 d1 24 40 ff 61'])).toEqual(['ACK 2.05']);
});
