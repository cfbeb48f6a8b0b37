import { statementsOf } from '../statement';
import { block, blocksOf, bodies, bytes, option, said, talk } from './blocks';

const { shows, leaves } = statementsOf('RFC 7959');
const REQUEST = bytes(300);
const REPLY = bytes(300, 5);

shows('2.7', 'describes', 'a long request with a long reply: Block1 to the end, then the reply by Block2', async () => {
  const there = talk(() => ({ code: '2.05', payload: REPLY }));
  const answers: string[] = [];
  for (const [number, more, part] of blocksOf(REQUEST, 128)) {
    answers.push(await there.post(number, more, part, 128, { block2: block(0, false, 128) }));
  }
  const parts = [there.client.last.payload];
  for (const number of [1, 2]) {
    const answer = await there.get(number, 128, { code: 'POST' });
    answers.push(said(answer));
    parts.push(answer.payload);
  }
  expect(answers).toEqual([
    'ACK 2.31 1:0/1/128',
    'ACK 2.31 1:1/1/128',
    'ACK 2.05 2:0/1/128 1:2/0/128',
    'ACK 2.05 2:1/1/128',
    'ACK 2.05 2:2/0/128',
  ]);
  expect([bodies(there), Buffer.concat(parts)]).toEqual([[REQUEST], REPLY]);
});

shows(
  '2.7',
  'describes',
  'the size of the reply’s blocks can be asked for in the last block of the request alone',
  async () => {
    const there = talk(() => ({ code: '2.05', payload: REPLY }));
    for (const [number, more, part] of blocksOf(REQUEST, 128)) {
      await there.post(number, more, part, 128, more ? {} : { block2: block(0, false, 32) });
    }
    expect(said(there.client.last)).toBe('ACK 2.05 2:0/1/32 1:2/0/128');
    expect((await there.get(9, 32, { code: 'POST' })).payload).toEqual(REPLY.subarray(288));
    expect(there.handled).toHaveLength(1);
  },
);

shows(
  '2.7',
  'describes',
  'a short request with a long reply is run once, whatever blocks of the reply are asked for',
  async () => {
    const there = talk(() => ({ code: '2.04', payload: REPLY }));
    await there.ask({ code: 'POST', payload: 'x', block2: block(0, false, 64) });
    for (const number of [4, 1, 3, 2, 1]) {
      expect((await there.get(number, 64, { code: 'POST' })).payload).toEqual(
        REPLY.subarray(number * 64, number * 64 + 64),
      );
    }
    expect(there.handled).toHaveLength(1);
  },
);

leaves(
  '2.8',
  'describes',
  'requests for a first block may be sent to a multicast address',
  'no multicast group is joined',
);

leaves('2.10', 'describes', 'blocks of one body may be put together in a cache', 'the server is no proxy');

shows('4', 'describes', 'the first block of a reply says in Size2 how long the whole is, asked or not', async () => {
  const there = talk(() => ({ code: '2.05', payload: REPLY }));
  const sizes = [];
  for (const number of [0, 1, 4]) sizes.push(option(await there.get(number, 64), 'Size2'));
  expect(sizes).toEqual([300, undefined, undefined]);
  const asked = await there.get(0, 16, { options: [{ name: 'Size2', value: Buffer.alloc(0) }] });
  expect([option(asked, 'Size2'), asked.payload.length]).toEqual([300, 16]);
});

leaves(
  '4',
  'describes',
  'Size2 of 0 in a request without Block2 is answered by Size2 also where the reply is one message',
  'the message is the whole: its length is the size; of packages it is said',
);

const size1 = (...value: number[]) => ({ options: [{ name: 'Size1', value: Buffer.from(value) }] });

shows(
  '4',
  'describes',
  'a body announced by Size1 as longer than the limit is 4.13 at its first block, with the limit',
  async () => {
    const there = talk(undefined, { maxBody: 2048 });
    expect(await there.post(0, true, bytes(64), 64, size1(0x08, 0x01))).toMatch('ACK 4.13');
    expect([option(there.client.last, 'Size1'), there.metric('upload_bytes')]).toEqual([2048, 0]);
    expect(await there.post(0, true, bytes(64), 64, size1(0x08, 0x00))).toMatch('ACK 2.31');
  },
);

shows('4', 'describes', 'Size1 is an estimate: a body may turn out shorter or longer than it said', async () => {
  for (const estimate of [1, 100, 2000]) {
    const there = talk();
    const request = size1(estimate >> 8, estimate & 255);
    for (const [number, more, part] of blocksOf(bytes(150), 64)) await there.post(number, more, part, 64, request);
    expect(bodies(there)).toEqual([bytes(150)]);
  }
});

shows(
  '4',
  'MUST NOT',
  'a Size1 that comes twice, or is longer than four bytes, is ignored like any elective option',
  async () => {
    const twice = { options: [0, 0].map(() => ({ name: 'Size1', value: Buffer.from([1]) })) };
    for (const request of [size1(1, 0, 0, 0, 0), twice]) {
      const there = talk();
      expect(await there.post(0, true, bytes(64), 64, request)).toMatch('ACK 2.31');
    }
  },
);

shows('4', 'describes', 'an announcement reserves nothing: memory is taken as blocks arrive', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64, size1(0x03, 0x00, 0x00));
  expect(there.metric('upload_bytes')).toBeLessThan(4096);
});
