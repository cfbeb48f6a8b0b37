import { statementsOf } from '../statement';
import { Harness, hex, option, optionBytes, replies, say } from './talk';

const { shows } = statementsOf('RFC 7252');

shows('3', 'MUST', 'every message of ours has version 1', async () => {
  const harness = new Harness(() => ({ code: '2.05' }));
  for (const datagram of ['41 01 0001 aa b161', '51 01 0002 aa b161', '40 00 0003']) harness.client.send(hex(datagram));
  await harness.clock.advance(10);
  expect(harness.client.raw.map((datagram) => (datagram[0] ?? 0) >> 6)).toEqual([1, 1, 1]);
});

shows('3', 'MUST', 'a message of another version is silently ignored, whatever its type', async () => {
  expect(await replies(['00 01 0001 b161', '80 01 0001 b161', 'c0 01 0001 b161', '80 00 0001', '90 01 0001'])).toEqual(
    Array(5).fill(''),
  );
});

shows('3', 'describes', 'a datagram too short for a header is no message and is silently ignored', async () => {
  expect(await replies(['', '40', '40 01', '40 01 00'])).toEqual(['', '', '', '']);
});

shows('3', 'MUST', 'a token length of 9 to 15 is a message format error', async () => {
  // Everything else about them is right.
  const rest = [9, 10, 11, 12, 13, 14, 15].map(
    (length) => `${length.toString(16)} 01 1234 ${'aa'.repeat(length)} b161`,
  );
  expect(await replies(rest.map((bytes) => `4${bytes}`))).toEqual(rest.map(() => 'RST 0.00'));
  expect(await replies(rest.map((bytes) => `5${bytes}`))).toEqual(rest.map(() => ''));
});

shows('3', 'describes', 'a datagram that ends within its token is a message format error', async () => {
  expect(await replies(['44 01 1234 010203', '54 01 1234 010203'])).toEqual(['RST 0.00', '']);
});

shows('3', 'describes', 'the reserved code classes 1, 3, 6 and 7 never reach a handler', async () => {
  for (const code of ['21', '7f', 'c1', 'ff']) {
    const { kinds, handled } = await say(`40 ${code} 1234`);
    expect([kinds, handled]).toEqual([['RST 0.00'], []]);
  }
});

shows('3', 'MUST', 'a payload marker with nothing behind it is a message format error', async () => {
  expect(await replies(['40 02 1234 b161 ff', '40 02 1234 ff', '50 02 1234 b161 ff'])).toEqual([
    'RST 0.00',
    'RST 0.00',
    '',
  ]);
});

shows('3', 'describes', 'the byte 0xff within a token, an option or a payload is no payload marker', async () => {
  const { kinds, handled } = await say('41 02 1234 ff b2ffff ff ffff');
  expect(kinds).toEqual(['ACK 2.05']);
  expect(handled[0]?.payload).toEqual(hex('ffff'));
});

shows(
  '3',
  'describes',
  'a message without a payload marker has a payload of no bytes, and ours has no marker then',
  async () => {
    const { handled, packets } = await say('41 02 1234 aa b161', { code: '2.04' });
    expect(handled[0]?.payload).toHaveLength(0);
    expect(packets[0]?.payload).toHaveLength(0);
  },
);

shows('3.1', 'MUST', 'the options of a response are in the order of their numbers', async () => {
  const { packets } = await say('41 01 1234 aa b161', {
    code: '2.05',
    maxAge: 30,
    contentFormat: 50,
    etag: hex('0102'),
    payload: '{}',
  });
  expect(packets[0]?.options.map(({ name }) => name)).toEqual(['ETag', 'Content-Format', 'Max-Age']);
});

shows('3.1', 'describes', 'option numbers are sums of deltas, also of one and two bytes more', async () => {
  // Uri-Path 11, Accept 17, Size1 60 (delta 43) and the elective 300 (delta 240), 60000 (delta 59700); then critical 60001.
  const elective = '41 01 1234 aa b161 61 32 d1 1e 05 d1 e3 00 e1 e827 00';
  const { kinds, handled } = await say(elective);
  expect(kinds).toEqual(['ACK 2.05']);
  expect([handled[0]?.path, handled[0]?.accept]).toEqual([['a'], 50]);
  expect(await replies([`${elective} 10`, `${elective} 20`])).toEqual(['ACK 4.02', 'ACK 2.05']);
});

shows('3.1', 'describes', 'option lengths of 13 to 268 take one byte more', async () => {
  const { handled } = await say(`41 01 1234 aa bd00 ${'62'.repeat(13)} 0d f2 ${'63'.repeat(255)}`);
  expect(handled[0]?.path).toEqual(['b'.repeat(13), 'c'.repeat(255)]);
});

shows('3.1', 'describes', 'option lengths from 269 on take two bytes more', async () => {
  // The elective option 2052 with 300 bytes.
  const { kinds } = await say(`41 01 1234 aa b161 ee 06ec 001f ${'00'.repeat(300)}`);
  expect(kinds).toEqual(['ACK 2.05']);
});

shows('3.1', 'MUST', 'an option delta of 15 that is no payload marker is a message format error', async () => {
  expect(await replies(['40 01 1234 f161', '50 01 1234 f161'])).toEqual(['RST 0.00', '']);
});

shows('3.1', 'MUST', 'an option length of 15 is a message format error', async () => {
  expect(await replies(['40 01 1234 bf61', '50 01 1234 bf61'])).toEqual(['RST 0.00', '']);
});

shows('3.1', 'describes', 'an option that runs past the end of the datagram is a message format error', async () => {
  const cut = ['b561', 'bd', 'be00', 'd1', 'e101', 'bd0061'];
  expect(await replies(cut.map((options) => `40 01 1234 ${options}`))).toEqual(cut.map(() => 'RST 0.00'));
  expect(await replies(cut.map((options) => `50 01 1234 ${options}`))).toEqual(cut.map(() => ''));
});

shows('3.2', 'SHOULD', 'a number in an option of ours has no leading zero bytes, and 0 has none at all', async () => {
  const maxAges = [0, 1, 255, 256, 65_536, 16_777_216];
  const lengths = [];
  for (const maxAge of maxAges) {
    const { packets } = await say('41 01 1234 aa b161', { code: '2.05', maxAge });
    const packet = packets[0];
    if (packet === undefined) throw new Error('no answer');
    expect(option(packet, 'Max-Age')).toBe(maxAge);
    lengths.push(optionBytes(packet, 'Max-Age')?.length);
  }
  expect(lengths).toEqual([0, 1, 1, 2, 3, 4]);
});

shows('3.2', 'MUST', 'a number with leading zero bytes is read as that number', async () => {
  // Observe 0 in three bytes, Content-Format and Accept in two.
  const { handled } = await say('41 01 1234 aa 63 000000 51 61 12 0032 52 003c');
  expect(handled[0]).toMatchObject({ observe: 0, path: ['a'], contentFormat: 50, accept: 60 });
});

shows('3.2', 'describes', 'strings are UTF-8', async () => {
  const { handled } = await say('41 01 1234 aa b5 73c3bcc39f 44 c3bc3d31');
  expect([handled[0]?.path, handled[0]?.query]).toEqual([['süß'], ['ü=1']]);
});
