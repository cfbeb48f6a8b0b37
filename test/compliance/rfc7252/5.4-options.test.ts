import { statementsOf } from '../statement';
import { replies, say } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows('5.4.1', 'MUST', 'elective options that are not known are silently ignored', async () => {
  // 20, 26, 2052, 65282
  for (const option of ['91 ff', 'd1 02 ff', 'e1 06ec 01', 'e0 fdea']) {
    const { kinds, handled } = await say(`41 01 1234 aa b161 ${option}`);
    expect([kinds, handled.length]).toEqual([['ACK 2.05'], 1]);
  }
});

shows(
  '5.4.1',
  'MUST',
  'a critical option that is not known in a Confirmable request is answered 4.02, and nothing is done',
  async () => {
    // 9999, 13, 31, 319
    for (const option of ['e1 25f7 01', '20', 'd0 07', 'e0 0027']) {
      const { kinds, handled } = await say(`41 02 1234 aa b161 ${option}`);
      expect([kinds, handled]).toEqual([['ACK 4.02'], []]);
    }
  },
);

shows(
  '5.4.1',
  'MUST',
  'a critical option that is not known in a Non-confirmable request has it rejected: no answer, nothing done',
  async () => {
    for (const option of ['e1 25f7 01', '20', 'd0 07', 'e0 0027']) {
      const { kinds, handled } = await say(`51 02 1234 aa b161 ${option}`);
      expect([kinds, handled]).toEqual([[], []]);
    }
  },
);

shows(
  '5.4.1',
  'MUST',
  'a critical option that is not known decides also where the method is not known or a proxy is asked for',
  async () => {
    // Method 0.31; Proxy-Uri.
    const requests = ['1f 1234 aa b161 20', '01 1234 aa b161 d3 0b 613a62 e1 25c5 01'];
    expect(await replies(requests.map((rest) => `41 ${rest}`))).toEqual(['ACK 4.02', 'ACK 4.02']);
    expect(await replies(requests.map((rest) => `51 ${rest}`))).toEqual(['', '']);
  },
);

leaves(
  '5.4.1',
  'SHOULD',
  'a 4.02 says in its payload which option it is about',
  'no failure has a payload: the device API forbids it, and an answer to a stranger must not be longer than needed',
);

shows('5.4.3', 'MUST', 'a critical option whose length is outside its range counts as not known: 4.02', async () => {
  const options = [
    '30 81 61', // Uri-Host of 0 bytes
    `3d f3 ${'61'.repeat(256)} 81 61`, // of 256
    '73 000016 41 61', // Uri-Port of 3
    `bd f3 ${'61'.repeat(256)}`, // Uri-Path of 256
    `b161 4d f3 ${'61'.repeat(256)}`, // Uri-Query of 256
    'b161 63 000032', // Accept of 3
    'b161 d0 0b', // Proxy-Uri of 0
    'b161 d0 0f', // Proxy-Scheme of 0
  ];
  expect(await replies(options.map((rest) => `41 01 1234 aa ${rest}`))).toEqual(options.map(() => 'ACK 4.02'));
});

shows('5.4.3', 'MUST', 'an elective option whose length is outside its range is ignored', async () => {
  // Content-Format of 3 bytes, Observe of 4, Size1 of 5, ETag of 9.
  const { kinds, handled } = await say('41 01 1234 aa b161 13 000032');
  expect([kinds, handled[0]?.contentFormat]).toEqual([['ACK 2.05'], undefined]);
  const observe = await say('41 01 1234 aa 64 00000000 51 61');
  expect([observe.kinds, observe.handled[0]?.observe]).toEqual([['ACK 2.05'], undefined]);
  expect(await replies(['41 02 1234 aa b161 d5 24 0000000000', '41 01 1234 aa 49 000000000000000000 71 61'])).toEqual([
    'ACK 2.05',
    'ACK 2.05',
  ]);
});

shows('5.4.3', 'describes', 'options of the least and the greatest length are taken', async () => {
  const options = [
    '31 61 81 61', // Uri-Host of 1
    `3d f2 ${'61'.repeat(255)} 81 61`, // of 255
    '70 41 61', // Uri-Port of 0
    '72 1633 41 61', // of 2
    'b0', // Uri-Path of 0
    `bd f2 ${'61'.repeat(255)}`, // of 255
    'b161 40', // Uri-Query of 0
    `b161 4d f2 ${'61'.repeat(255)}`, // of 255
    'b161 60', // Accept of 0
    'b161 62 0032', // of 2
  ];
  expect(await replies(options.map((rest) => `41 01 1234 aa ${rest}`))).toEqual(options.map(() => 'ACK 2.05'));
});

shows(
  '5.4.4',
  'MUST',
  'options that are absent have their defaults: any Uri-Host and Uri-Port, the path /',
  async () => {
    const { kinds, handled } = await say('40 01 1234');
    expect(kinds).toEqual(['ACK 2.05']);
    expect(handled[0]).toMatchObject({ path: [], query: [], contentFormat: undefined, accept: undefined });
  },
);

shows(
  '5.4.4',
  'SHOULD NOT',
  'a response does not carry options nobody asked it to: Max-Age only where it is not the default',
  async () => {
    const { packets } = await say('41 01 1234 aa b161', { code: '2.05', payload: 'x' });
    expect(packets[0]?.options).toEqual([]);
  },
);

shows('5.4.5', 'describes', 'Uri-Path and Uri-Query may be repeated, and keep their order', async () => {
  const { handled } = await say('41 01 1234 aa b162 0161 0163 41 79 01 78 01 79');
  expect([handled[0]?.path, handled[0]?.query]).toEqual([
    ['b', 'a', 'c'],
    ['y', 'x', 'y'],
  ]);
});

shows(
  '5.4.5',
  'MUST',
  'a critical option that may not be repeated counts as not known the second time: 4.02',
  async () => {
    const options = [
      '31 61 01 61 81 61', // Uri-Host
      '72 1633 02 1633 41 61', // Uri-Port
      'b161 61 32 01 32', // Accept
      'b161 d3 0b 613a62 03 613a62', // Proxy-Uri
      'b161 d1 0f 61 01 61', // Proxy-Scheme
    ];
    expect(await replies(options.map((rest) => `41 01 1234 aa ${rest}`))).toEqual(options.map(() => 'ACK 4.02'));
  },
);

shows(
  '5.4.5',
  'MUST',
  'an elective option that may not be repeated is ignored the second time, the first one counts',
  async () => {
    const { kinds, handled } = await say('41 01 1234 aa b161 11 32 01 2a');
    expect([kinds, handled[0]?.contentFormat]).toEqual([['ACK 2.05'], 50]);
    const observe = await say('41 01 1234 aa 60 01 01 51 61');
    expect([observe.kinds, observe.handled[0]?.observe]).toEqual([['ACK 2.05'], 0]);
  },
);

shows('5.4.6', 'describes', 'whether an option is critical is in the last bit of its number alone', async () => {
  // Numbers nobody has assigned: 2048 to 2055, in one-option requests (delta 14 and two bytes).
  const numbers = Array.from({ length: 8 }, (_, i) => 2048 + i);
  const request = (number: number) => `41 01 1234 aa e0 ${(number - 269).toString(16).padStart(4, '0')}`;
  expect(await replies(numbers.map(request))).toEqual(
    numbers.map((number) => (number % 2 === 1 ? 'ACK 4.02' : 'ACK 2.05')),
  );
});

leaves(
  '5.4.2',
  'describes',
  'options are Unsafe or Safe-to-Forward, and part of the Cache-Key or not',
  'it concerns proxies, and this is none',
);
