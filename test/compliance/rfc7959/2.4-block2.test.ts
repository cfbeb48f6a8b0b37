import { statementsOf } from '../statement';
import { blocksOf, bytes, option, optionBytes, said, talk } from './blocks';

const { shows } = statementsOf('RFC 7959');
const BODY = bytes(2500);
const whole = () => talk(() => ({ code: '2.05', payload: BODY, contentFormat: 42 }));

shows('2.4', 'describes', 'a response that is too long for one message comes as its first block', async () => {
  const there = whole();
  const answer = await there.ask({});
  expect(said(answer)).toBe('ACK 2.05 2:0/1/1024');
  expect(answer.payload).toEqual(BODY.subarray(0, 1024));
});

shows('2.4', 'MUST', 'a client that asks for a block size gets blocks of that size', async () => {
  for (const size of [16, 32, 64, 128, 256, 512, 1024]) {
    const there = whole();
    const parts: Buffer[] = [];
    for (const [number, more] of blocksOf(BODY, size)) {
      const answer = await there.get(number, size);
      expect(said(answer)).toBe(`ACK 2.05 2:${number}/${more ? 1 : 0}/${size}`);
      parts.push(answer.payload);
    }
    expect(Buffer.concat(parts)).toEqual(BODY);
    expect(there.handled).toHaveLength(1);
  }
});

shows(
  '2.4',
  'describes',
  'a size that is asked for is answered with Block2 also where all goes in one block',
  async () => {
    const there = talk(() => ({ code: '2.05', payload: 'short' }));
    expect(said(await there.get(0, 64))).toBe('ACK 2.05 2:0/0/64');
  },
);

shows(
  '2.4',
  'MUST',
  'where the server wants smaller blocks, it answers with its own size, from where it was asked',
  async () => {
    const there = talk(() => ({ code: '2.05', payload: BODY }), { blockExponent: 2 });
    expect(said(await there.get(0, 1024))).toBe('ACK 2.05 2:0/1/64');
    const parts = [there.client.last.payload];
    for (const [number] of blocksOf(BODY, 64).slice(1)) parts.push((await there.get(number, 64)).payload);
    expect(Buffer.concat(parts)).toEqual(BODY);
    expect(said(await there.get(1, 1024))).toBe('ACK 2.05 2:16/1/64');
    expect(said(await there.get(3, 16))).toBe('ACK 2.05 2:3/1/16');
    expect(there.handled).toHaveLength(1);
  },
);

shows('2.4', 'describes', 'a client may change the size in the middle: blocks count by their offset', async () => {
  const there = whole();
  const first = await there.get(0, 1024);
  const second = await there.get(4, 256);
  const third = await there.get(20, 64);
  const got = Buffer.concat([first.payload, second.payload, third.payload]);
  expect(got).toEqual(BODY.subarray(0, 1024 + 256 + 64));
  expect(there.handled).toHaveLength(1);
});

shows(
  '2.4',
  'describes',
  'blocks are given in any order and as often as they are asked for, out of one run',
  async () => {
    const there = whole();
    await there.ask({});
    for (const number of [9, 3, 3, 0x26, 1, 0, 7]) {
      if (number === 0) continue;
      expect((await there.get(number, 64)).payload).toEqual(BODY.subarray(number * 64, number * 64 + 64));
    }
    expect(there.handled).toHaveLength(1);
  },
);

shows('2.4', 'SHOULD', 'all blocks of one body have the same ETag', async () => {
  const there = whole();
  const tags = new Set<string | undefined>();
  for (const [number] of blocksOf(BODY, 256))
    tags.add(optionBytes(await there.get(number, 256), 'ETag')?.toString('hex'));
  expect([...tags]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
});

shows(
  '2.4',
  'describes',
  'a representation that has changed has another ETag, and one that has not has the same',
  async () => {
    let salt = 1;
    const there = talk(() => ({ code: '2.05', payload: bytes(2500, salt) }));
    const tag = async () => optionBytes(await there.ask({}), 'ETag')?.toString('hex');
    const first = await tag();
    expect(await tag()).toBe(first);
    salt = 2;
    expect(await tag()).not.toBe(first);
  },
);

shows('2.4', 'describes', 'a body that changes meanwhile is finished as it was begun', async () => {
  let salt = 0;
  const there = talk(() => ({ code: '2.05', payload: bytes(2500, ++salt) }));
  const parts = [(await there.ask({})).payload];
  for (const number of [1, 2]) parts.push((await there.get(number, 1024)).payload);
  expect(Buffer.concat(parts)).toEqual(bytes(2500, 1));
});

shows(
  '2.4',
  'describes',
  'a body that was let go is made anew, and its ETag tells whether it is still the same',
  async () => {
    for (const changes of [false, true]) {
      let calls = 0;
      const there = talk(() => ({ code: '2.05', payload: bytes(2500, changes ? ++calls : 0) }));
      const first = await there.ask({});
      await there.clock.advance(301_000);
      const later = await there.get(1, 1024);
      expect(there.handled).toHaveLength(2);
      expect(later.payload).toEqual(bytes(2500, changes ? 2 : 0).subarray(1024, 2048));
      expect(optionBytes(later, 'ETag')?.equals(optionBytes(first, 'ETag') ?? Buffer.alloc(0))).toBe(!changes);
    }
  },
);

shows('2.4', 'describes', 'an upload or a download goes on under a new token, and under the old one', async () => {
  const there = whole();
  await there.ask({ token: Buffer.from('aa', 'hex') });
  for (const token of ['aa', 'bb', '', 'cc00112233445566']) {
    const answer = await there.get(1, 1024, { token: Buffer.from(token, 'hex') });
    expect([answer.payload, answer.token.toString('hex')]).toEqual([BODY.subarray(1024, 2048), token]);
  }
  expect(there.handled).toHaveLength(1);
});

shows('2.4', 'describes', 'the query and the accepted format tell transfers of one client apart', async () => {
  let calls = 0;
  const there = talk(() => ({ code: '2.05', payload: bytes(2500, ++calls) }));
  const accept = { options: [{ name: 'Accept', value: Buffer.from([50]) }] };
  for (const request of [{}, { query: ['a=1'] }, { query: ['a=2'] }, accept]) await there.ask(request);
  const rest = [];
  for (const request of [{}, { query: ['a=1'] }, { query: ['a=2'] }, accept])
    rest.push(await there.get(1, 1024, request));
  expect(rest.map(({ payload }) => payload[0])).toEqual([1, 2, 3, 4].map((salt) => bytes(2500, salt)[1024]));
  expect(there.handled).toHaveLength(4);
});

shows('2.4', 'describes', 'a block behind the end is 4.00', async () => {
  for (const length of [0, 64, 100]) {
    const there = talk(() => ({ code: '2.05', payload: bytes(length) }));
    expect((await there.get(2, 64)).code).toBe('4.00');
    expect((await there.get(Math.max(1, Math.ceil(length / 64)), 64)).code).toBe('4.00');
  }
});

shows(
  '2.4',
  'describes',
  'a later block of what is no longer there is the error, whole, as if nothing had been asked before',
  async () => {
    const there = talk(() => ({ code: '4.04' }));
    const answer = await there.get(3, 64);
    expect([answer.code, option(answer, 'Block2')]).toEqual(['4.04', undefined]);
  },
);

shows(
  '2.4',
  'describes',
  'a later block of the response to a POST that is not kept is 4.08: nothing is run a second time',
  async () => {
    const there = talk(() => ({ code: '2.04', payload: BODY }));
    await there.ask({ code: 'POST' });
    await there.clock.advance(301_000);
    expect((await there.get(1, 1024, { code: 'POST' })).code).toBe('4.08');
    expect(there.handled).toHaveLength(1);
  },
);

/** A body that is not in memory, and what is read of it. */
function kept(length = 2_500) {
  const reads: string[] = [];
  const body = bytes(length);
  const read = async (offset: number, size: number) => {
    reads.push(`${offset}+${size}`);
    return body.subarray(offset, offset + size);
  };
  const source = { length, read };
  return { reads, body, respond: () => ({ code: '2.05', etag: Buffer.from([9]), contentFormat: 42, source }) };
}

shows(
  '2.4',
  'describes',
  'of a package only the block that is asked for is read: in any order and size, from any peer, after any time',
  async () => {
    const { reads, body, respond } = kept();
    const there = talk(respond);
    for (const [number, size] of [
      [2, 1024],
      [0, 1024],
      [7, 64],
      [156, 16],
      [2, 1024],
    ] as const) {
      const request = { block2: (number << 4) | Math.log2(size / 16) };
      const answer = await there.ask(request, there.another(`10.0.1.${reads.length}`));
      expect(answer.payload).toEqual(body.subarray(number * size, (number + 1) * size));
      expect([optionBytes(answer, 'ETag'), option(answer, 'Content-Format')]).toEqual([Buffer.from([9]), 42]);
      await there.clock.advance(3_600_000);
    }
    expect(reads).toEqual(['2048+452', '0+1024', '448+64', '2496+4', '2048+452']);
    expect(there.metric('download_bytes')).toBe(0);
  },
);

shows('2.4', 'MUST', 'a package comes in the size asked for, or in the smaller one of the server', async () => {
  for (const blockExponent of [2, 6]) {
    for (const size of [16, 64, 256, 1024]) {
      const { body, respond } = kept(700);
      const there = talk(respond, { blockExponent });
      const ours = Math.min(size, 16 << blockExponent);
      const parts: Buffer[] = [];
      for (const [number, more] of blocksOf(body, ours)) {
        const answer = await there.get(number, ours);
        expect(said(answer)).toBe(`ACK 2.05 2:${number}/${more ? 1 : 0}/${ours}`);
        parts.push(answer.payload);
      }
      expect(Buffer.concat(parts)).toEqual(body);
      expect(said(await there.get(0, size))).toMatch(new RegExp(`/${ours}$`));
    }
    const there = talk(kept(700).respond, { blockExponent: 2 });
    expect(said(await there.get(1, 512))).toBe('ACK 2.05 2:8/1/64');
  }
});

shows('2.4', 'describes', 'a package that fits in one message has no Block2 unless it is asked for', async () => {
  for (const length of [0, 1, 1024]) {
    const there = talk(kept(length).respond);
    expect(said(await there.ask({}))).toBe('ACK 2.05');
    expect(said(await there.get(0, 1024))).toBe('ACK 2.05 2:0/0/1024');
    expect((await there.get(1, 1024)).code).toBe('4.00');
  }
});

shows('2.4', 'describes', 'a package that a size cuts into more than 2^20 blocks is refused at once', async () => {
  const { reads, respond } = kept();
  const long = { ...respond(), source: { ...respond().source, length: (1 << 24) + 1 } };
  const there = talk(() => long);
  const answer = await there.get(0, 16);
  expect([answer.code, option(answer, 'Size2'), option(answer, 'Block2')]).toEqual(['4.00', (1 << 24) + 1, undefined]);
  expect(reads).toEqual([]);
  expect(said(await there.get(0, 32))).toBe('ACK 2.05 2:0/1/32');
});

shows('2.4', 'describes', 'a package that cannot be read is an error, and the next block is served', async () => {
  const { respond } = kept();
  let fails = true;
  const there = talk(() => {
    const { source, ...rest } = respond();
    const read = (offset: number, size: number) =>
      fails ? Promise.reject(new Error('gone')) : source.read(offset, size);
    return { ...rest, source: { ...source, read } };
  });
  expect((await there.get(1, 1024)).code).toBe('5.00');
  fails = false;
  expect(said(await there.get(1, 1024))).toBe('ACK 2.05 2:1/1/1024');
  expect(there.metric('running_exchanges')).toBe(0);
});

shows('2.4', 'describes', 'a handler may take its time before it gives a package, and so may the reading', async () => {
  const { body, respond } = kept();
  const there = talk(async () => {
    const { source, ...rest } = respond();
    const read = async (offset: number, size: number) => {
      await new Promise<void>((resolve) => void there.clock.setTimer(1_000, resolve));
      return source.read(offset, size);
    };
    return { ...rest, source: { ...source, read } };
  });
  there.client.request({ block2: (2 << 4) | 6 });
  await there.clock.advance(2_000);
  const answer = there.client.last;
  expect([said(answer), answer.payload]).toEqual(['CON 2.05 2:2/0/1024', body.subarray(2048)]);
  expect(there.metric('running_exchanges')).toBe(0);
});

shows('2.4', 'describes', 'Non-confirmable requests get their blocks in Non-confirmable responses', async () => {
  const there = whole();
  expect(said(await there.ask({ confirmable: false }))).toBe('NON 2.05 2:0/1/1024');
  expect(said(await there.get(2, 1024, { confirmable: false }))).toBe('NON 2.05 2:2/0/1024');
});
