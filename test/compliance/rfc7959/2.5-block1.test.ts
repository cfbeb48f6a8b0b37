import { statementsOf } from '../statement';
import { block, blocksOf, bodies, bytes, kind, option, said, talk } from './blocks';

const { shows, leaves } = statementsOf('RFC 7959');

shows('2.5', 'describes', 'a body of several blocks takes effect once, when its last block is there', async () => {
  const there = talk();
  for (const [number, more, part] of blocksOf(bytes(1000), 128)) {
    expect(there.handled).toEqual([]);
    expect(await there.post(number, more, part, 128)).toBe(
      `ACK ${more ? '2.31' : '2.04'} 1:${number}/${more ? 1 : 0}/128`,
    );
  }
  expect(bodies(there)).toEqual([bytes(1000)]);
});

shows('2.5', 'MUST', 'a last block without all the blocks before it is 4.08', async () => {
  const there = talk();
  expect(await there.post(2, false, bytes(5), 64)).toBe('ACK 4.08 1:2/0/64');
  await there.post(0, true, bytes(64), 64);
  expect(await there.post(2, false, bytes(5), 64)).toBe('ACK 4.08 1:2/0/64');
  expect(there.handled).toEqual([]);
});

shows('2.5', 'MAY', 'a block that leaves a gap is 4.08 at once; the one that was missed can still follow', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64);
  expect(await there.post(2, true, bytes(64, 2), 64)).toMatch('ACK 4.08');
  expect(await there.post(1, true, bytes(64, 1), 64)).toMatch('ACK 2.31');
  expect(await there.post(2, false, bytes(3, 2), 64)).toMatch('ACK 2.04');
  expect(bodies(there)).toEqual([Buffer.concat([bytes(64), bytes(64, 1), bytes(3, 2)])]);
});

shows('2.5', 'describes', 'block 0 starts over: what was there of the old body is gone', async () => {
  const there = talk();
  await there.post(0, true, bytes(64, 1), 64);
  await there.post(1, true, bytes(64, 1), 64);
  expect(await there.post(0, true, bytes(64, 2), 64)).toMatch('ACK 2.31');
  expect(await there.post(2, false, bytes(3, 1), 64)).toMatch('ACK 4.08');
  expect(await there.post(1, false, bytes(3, 2), 64)).toMatch('ACK 2.04');
  expect(bodies(there)).toEqual([Buffer.concat([bytes(64, 2), bytes(3, 2)])]);
});

shows('2.5', 'describes', 'a new body of one block takes the place of an unfinished one', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64);
  expect(await there.post(0, false, bytes(9), 64)).toMatch('ACK 2.04');
  expect(await there.post(1, false, bytes(3), 64)).toMatch('ACK 4.08');
  expect([bodies(there), there.metric('upload_bytes')]).toEqual([[bytes(9)], 0]);
});

shows(
  '2.5',
  'describes',
  'an unfinished body is kept for longer than EXCHANGE_LIFETIME after its last block, then forgotten',
  async () => {
    const there = talk();
    await there.post(0, true, bytes(64), 64);
    await there.clock.advance(250_000);
    expect(await there.post(1, true, bytes(64), 64)).toMatch('ACK 2.31');
    await there.clock.advance(301_000);
    expect(there.metric('upload_bytes')).toBe(0);
    expect(await there.post(2, false, bytes(3), 64)).toMatch('ACK 4.08');
  },
);

shows(
  '2.5',
  'describes',
  'where the server wants smaller blocks it says so in 2.31, and goes on with any that are not larger',
  async () => {
    const there = talk(undefined, { blockExponent: 2 });
    const body = bytes(1000);
    expect(await there.post(0, true, body.subarray(0, 512), 512)).toBe('ACK 2.31 1:0/1/64');
    expect(await there.post(8, true, body.subarray(512, 576), 64)).toBe('ACK 2.31 1:8/1/64');
    expect(await there.post(18, true, body.subarray(576, 608), 32)).toBe('ACK 2.31 1:18/1/32');
    for (const [number, more, part] of blocksOf(body, 32).slice(19)) await there.post(number, more, part, 32);
    expect(bodies(there)).toEqual([body]);
  },
);

shows('2.5', 'describes', 'a client may change to smaller blocks in the middle of a body', async () => {
  const there = talk();
  const body = bytes(1600);
  await there.post(0, true, body.subarray(0, 1024), 1024);
  for (const [number, more, part] of blocksOf(body, 128).slice(8)) await there.post(number, more, part, 128);
  expect(bodies(there)).toEqual([body]);
});

shows(
  '2.5',
  'describes',
  'a block whose answer was lost may come again in smaller pieces, as a new message',
  async () => {
    const there = talk();
    const body = bytes(1600);
    await there.post(0, true, body.subarray(0, 1024), 1024);
    for (const [number, more, part] of blocksOf(body, 256)) await there.post(number, more, part, 256);
    expect(bodies(there)).toEqual([body]);
  },
);

shows('2.5', 'describes', 'a repeated datagram gets the same answer and adds nothing', async () => {
  const there = talk();
  for (const [number, more, part] of blocksOf(bytes(150), 64)) {
    const datagram = there.client.request({ code: 'POST', block1: block(number, more, 64), payload: part });
    await there.clock.advance(10);
    there.client.send(datagram);
    await there.clock.advance(10);
  }
  expect(there.client.received.map((packet) => packet.code)).toEqual(['2.31', '2.31', '2.31', '2.31', '2.04', '2.04']);
  expect(bodies(there)).toEqual([bytes(150)]);
});

shows(
  '2.5',
  'describes',
  'a block that comes again as a new message is acknowledged again and adds nothing',
  async () => {
    const there = talk();
    for (const [number, more, part] of blocksOf(bytes(150), 64)) {
      await there.post(number, more, part, 64);
      if (more) expect(await there.post(number, more, part, 64)).toBe(`ACK 2.31 1:${number}/1/64`);
    }
    expect(bodies(there)).toEqual([bytes(150)]);
  },
);

shows('2.5', 'describes', 'an earlier block with other bytes than before is 4.08', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64);
  await there.post(1, true, bytes(64, 1), 64);
  expect(await there.post(1, true, bytes(64, 9), 64)).toMatch('ACK 4.08');
});

shows(
  '2.5',
  'describes',
  'tokens do not matter: they may be new for each block, the same for all, or empty',
  async () => {
    for (const token of [undefined, Buffer.from('ab', 'hex'), Buffer.alloc(0)]) {
      const there = talk();
      const request = token === undefined ? {} : { token };
      for (const [number, more, part] of blocksOf(bytes(150), 64)) await there.post(number, more, part, 64, request);
      expect(bodies(there)).toEqual([bytes(150)]);
    }
  },
);

shows('2.5', 'describes', 'interleaved uploads of two clients with the same tokens do not mix', async () => {
  const there = talk();
  const clients = [there.client, there.another(), there.another('10.0.0.1', 40_001)];
  for (const [number, more] of blocksOf(bytes(150), 64)) {
    for (const [salt, client] of clients.entries()) {
      const part = bytes(150, salt).subarray(number * 64, number * 64 + 64);
      const token = Buffer.from([number]);
      await there.ask({ code: 'POST', token, block1: block(number, more, 64), payload: part }, client);
    }
  }
  expect(bodies(there)).toEqual([bytes(150, 0), bytes(150, 1), bytes(150, 2)]);
});

shows('2.5', 'describes', 'interleaved uploads of one client to two resources do not mix', async () => {
  const there = talk();
  const places = [{ path: ['a'] }, { path: ['b'] }, { path: ['a'], query: ['q'] }, { path: ['a', ''] }];
  for (const [number, more] of blocksOf(bytes(150), 64)) {
    for (const [salt, place] of places.entries()) {
      await there.post(number, more, bytes(150, salt).subarray(number * 64, number * 64 + 64), 64, place);
    }
  }
  expect(bodies(there)).toEqual(places.map((_, salt) => bytes(150, salt)));
});

shows('2.5', 'describes', 'the method tells transfers apart', async () => {
  const there = talk();
  await there.post(0, true, bytes(64), 64, { code: 'PUT' });
  expect(await there.post(1, false, bytes(3), 64, { code: 'POST' })).toMatch('ACK 4.08');
});

shows('2.5', 'describes', 'blocks in Non-confirmable requests are answered in Non-confirmable messages', async () => {
  const there = talk();
  const answers: string[] = [];
  for (const [number, more, part] of blocksOf(bytes(150), 64)) {
    answers.push(await there.post(number, more, part, 64, { confirmable: false }));
  }
  expect(answers).toEqual(['NON 2.31 1:0/1/64', 'NON 2.31 1:1/1/64', 'NON 2.04 1:2/0/64']);
  expect(bodies(there)).toEqual([bytes(150)]);
});

shows(
  '2.5',
  'describes',
  'a last block whose answer takes time is acknowledged, and answered separately with Block1',
  async () => {
    const there = talk(() => new Promise((resolve) => there.clock.setTimer(3_000, () => resolve({ code: '2.04' }))));
    await there.post(0, true, bytes(64), 64);
    await there.post(1, false, bytes(3), 64);
    await there.clock.advance(4_000);
    expect(there.client.received.map(kind)).toEqual(['ACK 2.31', 'ACK 0.00', 'CON 2.04']);
    expect(said(there.client.last)).toBe('CON 2.04 1:1/0/64');
  },
);

leaves(
  '2.5',
  'MAY',
  'each block takes effect by itself, as soon as it is there',
  'a body is a JSON or protobuf document: it means nothing before it is whole',
);

shows('2.9.1', 'describes', '2.31 has no payload', async () => {
  const there = talk(() => ({ code: '2.05', payload: 'result' }));
  await there.post(0, true, bytes(64), 64);
  expect(there.client.last.payload).toHaveLength(0);
});

shows(
  '2.9.3',
  'MAY',
  'a body that passes the limit is 4.13 with the limit in Size1, and what was there of it is gone',
  async () => {
    const there = talk(undefined, { maxBody: 2048 });
    await there.post(0, true, bytes(1024), 1024);
    await there.post(1, true, bytes(1024), 1024);
    expect(await there.post(2, false, bytes(1), 1024)).toMatch('ACK 4.13');
    expect(option(there.client.last, 'Size1')).toBe(2048);
    expect(there.metric('upload_bytes')).toBe(0);
    expect(there.handled).toEqual([]);
  },
);

shows('2.9.3', 'describes', 'a body of exactly the limit is taken', async () => {
  const there = talk(undefined, { maxBody: 2048 });
  for (const [number, more, part] of blocksOf(bytes(2048), 512)) await there.post(number, more, part, 512);
  expect(bodies(there)).toEqual([bytes(2048)]);
});

leaves(
  '2.9.3',
  'MAY',
  '4.13 names a smaller block size with which the client may try again',
  'what is too long stays too long in smaller blocks; a size the server likes better is in 2.31',
);
