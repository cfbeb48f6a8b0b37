import { statementsOf } from '../statement';
import { block, bodies, bytes, option, talk, uint } from './blocks';

const { shows } = statementsOf('RFC 7959');

shows(
  '2.1',
  'MUST',
  'a Block option is processed or the request is rejected: one that is too long is 4.02',
  async () => {
    for (const name of ['Block1', 'Block2']) {
      const there = talk();
      const answer = await there.ask({
        code: 'POST',
        options: [{ name, value: Buffer.from([0, 0, 0, 6]) }],
        payload: 'x',
      });
      expect([answer.code, there.handled.length]).toEqual(['4.02', 0]);
    }
  },
);

shows('2.1', 'MUST NOT', 'a Block option that comes twice in one request is 4.02', async () => {
  for (const name of ['Block1', 'Block2']) {
    const there = talk();
    const twice = [0, 0].map(() => ({ name, value: Buffer.from([6]) }));
    const answer = await there.ask({ code: 'POST', options: twice, payload: 'x' });
    expect([answer.code, there.handled.length]).toEqual(['4.02', 0]);
  }
});

shows('2.2', 'MUST', 'the reserved size exponent 7 is 4.00, in Block1 and in Block2', async () => {
  for (const name of ['Block1', 'Block2']) {
    for (const value of [7, 0x0f, 0x1f]) {
      const there = talk();
      const answer = await there.ask({ code: 'POST', options: [{ name, value: uint(value) }], payload: 'x' });
      expect([answer.code, there.handled.length]).toEqual(['4.00', 0]);
    }
  }
});

shows('2.2', 'describes', 'blocks may have any of the sizes 16, 32, 64, 128, 256, 512 and 1024', async () => {
  for (const size of [16, 32, 64, 128, 256, 512, 1024]) {
    const there = talk();
    expect(await there.post(0, true, bytes(size), size)).toBe(`ACK 2.31 1:0/1/${size}`);
    expect(await there.post(1, false, bytes(5, 1), size)).toBe(`ACK 2.04 1:1/0/${size}`);
    expect(bodies(there)).toEqual([Buffer.concat([bytes(size), bytes(5, 1)])]);
  }
});

shows('2.2', 'describes', 'a block that has more after it and is not full is 4.00', async () => {
  const there = talk();
  expect(await there.post(0, true, bytes(63), 64)).toMatch('ACK 4.00');
  expect(await there.post(0, true, bytes(65), 64)).toMatch('ACK 4.00');
  expect(await there.post(0, true, bytes(0), 64)).toMatch('ACK 4.00');
  expect(there.metric('upload_bytes')).toBe(0);
});

shows('2.2', 'describes', 'a last block may be shorter than its size, and empty, and no longer', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64);
  expect(await there.post(1, false, bytes(65), 64)).toMatch('ACK 4.00');
  expect(await there.post(1, false, bytes(0), 64)).toMatch('ACK 2.04');
  expect(bodies(there)).toEqual([bytes(64)]);
});

shows('2.2', 'describes', 'a request without Block1 is a whole body', async () => {
  const there = talk();
  const answer = await there.ask({ code: 'POST', payload: bytes(700) });
  expect([answer.code, option(answer, 'Block1')]).toEqual(['2.04', undefined]);
  expect(bodies(there)).toEqual([bytes(700)]);
});

shows('2.2', 'describes', 'the highest block number there can be costs neither memory nor time', async () => {
  const there = talk(() => ({ code: '2.05', payload: bytes(2000) }));
  expect(await there.post(0xfffff, false, bytes(1), 1024)).toMatch('ACK 4.08');
  expect((await there.get(0xfffff, 1024)).code).toBe('4.00');
  expect(there.metric('upload_bytes')).toBe(0);
});

shows('2.3', 'MUST', 'the Content-Format of each block of a response is that of the whole body', async () => {
  const there = talk(() => ({ code: '2.05', payload: bytes(300), contentFormat: 50 }));
  const formats: (number | undefined)[] = [];
  for (const number of [0, 1, 2, 3, 4]) formats.push(option(await there.get(number, 64), 'Content-Format'));
  expect(formats).toEqual([50, 50, 50, 50, 50]);
});

const format = (value: number) => ({ options: [{ name: 'Content-Format', value: uint(value) }] });

shows('2.3', 'MUST NOT', 'blocks with differing Content-Formats are not put together: 4.08', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64, format(50));
  expect(await there.post(1, false, bytes(5), 64, format(0))).toMatch('ACK 4.08');
  expect(there.handled).toEqual([]);
  expect(await there.post(1, false, bytes(5), 64, format(50))).toMatch('ACK 2.04');
  expect(there.handled.map(({ contentFormat }) => contentFormat)).toEqual([50]);
});

shows('2.3', 'describes', 'a body has the Content-Format that any of its blocks names', async () => {
  for (const where of [0, 1]) {
    const there = talk();
    await there.post(0, true, bytes(64), 64, where === 0 ? format(50) : {});
    await there.post(1, false, bytes(5), 64, where === 1 ? format(50) : {});
    expect(there.handled.map(({ contentFormat }) => contentFormat)).toEqual([50]);
  }
});

shows(
  '2.3',
  'describes',
  'Block1 of an answer names the block it answers; more is set until the final result',
  async () => {
    const there = talk();
    expect(await there.post(0, true, bytes(128), 128)).toBe('ACK 2.31 1:0/1/128');
    expect(await there.post(1, true, bytes(128), 128)).toBe('ACK 2.31 1:1/1/128');
    expect(await there.post(2, false, bytes(9), 128)).toBe('ACK 2.04 1:2/0/128');
  },
);

shows('2.3', 'MUST', 'the more flag of Block2 in a request means nothing', async () => {
  const there = talk(() => ({ code: '2.05', payload: bytes(300) }));
  const plain = await there.get(1, 64);
  const flagged = await there.ask({ block2: block(1, true, 64) });
  expect(flagged.payload).toEqual(plain.payload);
  expect(option(flagged, 'Block2')).toBe(option(plain, 'Block2'));
});
