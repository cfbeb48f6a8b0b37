import type { CoapRequest } from './request';
import type { CoapResponse } from './response';
import type { EndpointSettings } from './settings';
import { kind, option, optionBytes } from './testing/fake-client';
import { Harness } from './testing/harness';

const block = (number: number, more: boolean, exponent: number) => (number << 4) | (more ? 8 : 0) | exponent;
const body = (length: number, salt = 0) => Buffer.from(Array.from({ length }, (_, i) => (i + salt) % 251));

function uploads(settings: Partial<EndpointSettings> = {}) {
  const bodies: CoapRequest[] = [];
  const harness = new Harness((request) => {
    bodies.push(request);
    return { code: '2.01' };
  }, settings);
  let token = 0;
  const put = async (number: number, more: boolean, exponent: number, payload: Buffer, path = ['up']) => {
    harness.client.request({
      code: 'POST',
      path,
      token: Buffer.from([token++]),
      block1: block(number, more, exponent),
      payload,
    });
    await harness.clock.advance(10);
    return `${kind(harness.client.last)} ${option(harness.client.last, 'Block1')}`;
  };
  return { harness, bodies, put };
}

describe('Block1 (RFC 7959 section 2.5)', () => {
  it('TV-273: 3000 bytes in blocks of 1024 with a new token each: 2.31, 2.31, 2.01, one call', async () => {
    const { bodies, put } = uploads();
    const whole = body(3000);
    expect(await put(0, true, 6, whole.subarray(0, 1024))).toBe(`ACK 2.31 ${block(0, true, 6)}`);
    expect(await put(1, true, 6, whole.subarray(1024, 2048))).toBe(`ACK 2.31 ${block(1, true, 6)}`);
    expect(await put(2, false, 6, whole.subarray(2048))).toBe(`ACK 2.01 ${block(2, false, 6)}`);
    expect(bodies.map((request) => request.payload)).toEqual([whole]);
  });

  it('TV-274: number 0 then number 2 is 4.08', async () => {
    const { bodies, put } = uploads();
    await put(0, true, 6, body(1024));
    expect(await put(2, false, 6, body(10))).toMatch('ACK 4.08');
    expect(bodies).toEqual([]);
  });

  it('a last block without the ones before it is 4.08 and takes no memory', async () => {
    const { harness, put } = uploads();
    expect(await put(0xfffff, false, 6, body(1))).toMatch('ACK 4.08');
    expect(harness.metric('upload_bytes')).toBe(0);
  });

  it('number 0 starts over, also with a shorter body and another block size', async () => {
    const { bodies, put } = uploads();
    await put(0, true, 6, body(1024));
    await put(1, true, 6, body(1024));
    await put(0, true, 2, body(64, 9));
    expect(await put(1, false, 2, body(5))).toMatch('ACK 2.01');
    expect(bodies.map((request) => request.payload)).toEqual([Buffer.concat([body(64, 9), body(5)])]);
  });

  it('a single block that is also the last is an ordinary request with Block1 in the answer', async () => {
    const { bodies, put } = uploads();
    expect(await put(0, false, 6, body(7))).toBe(`ACK 2.01 ${block(0, false, 6)}`);
    expect(bodies[0]?.payload).toEqual(body(7));
  });

  it('number 0 that is also the last starts over as well', async () => {
    const { harness, put } = uploads();
    await put(0, true, 6, body(1024));
    await put(0, false, 6, body(7));
    expect(harness.metric('upload_bytes')).toBe(0);
    expect(await put(1, false, 6, body(5))).toMatch('ACK 4.08');
  });

  it('one that says it is a whole body and is longer than its block is 4.00', async () => {
    const { bodies, put } = uploads();
    expect(await put(0, false, 2, body(65))).toMatch('ACK 4.00');
    expect(bodies).toEqual([]);
  });

  it('the credentials of one device hold no more memory from a thousand addresses than from one', async () => {
    const { harness } = uploads({ uploadBytesPerPeer: 8192 });
    harness.ownerOf = () => 'one device';
    const codes: string[] = [];
    for (let i = 0; i < 1000; i++) {
      const forged = harness.another(`10.1.${i >> 8}.${i & 255}`, 3000);
      forged.request({ code: 'POST', confirmable: false, block1: block(0, true, 0), payload: body(16) });
      await harness.clock.advance(5);
      codes.push(forged.last.code);
    }
    expect(new Set(codes)).toEqual(new Set(['2.31', '5.03']));
    expect(harness.metric('upload_bytes')).toBeLessThanOrEqual(8192);
    harness.ownerOf = () => 'another device';
    harness.client.request({ code: 'POST', block1: block(0, true, 6), payload: body(1024) });
    await harness.clock.advance(10);
    expect(harness.client.last.code).toBe('2.31');
  });

  it('credentials that belong to another device by now do not go on with its body: 4.08', async () => {
    const { harness, bodies, put } = uploads();
    harness.ownerOf = () => 'one';
    await put(0, true, 6, body(1024));
    harness.ownerOf = () => 'other';
    expect(await put(1, false, 6, body(5))).toMatch('ACK 4.08');
    expect(bodies).toEqual([]);
  });

  it('uploads of two peers, and of one peer to two paths, do not mix', async () => {
    const { harness, bodies, put } = uploads();
    const other = harness.another();
    await put(0, true, 2, body(64, 1), ['a']);
    await put(0, true, 2, body(64, 2), ['b']);
    other.request({ code: 'POST', path: ['a'], block1: block(0, true, 2), payload: body(64, 3) });
    await harness.clock.advance(10);
    await put(1, false, 2, body(1), ['b']);
    await put(1, false, 2, body(1), ['a']);
    other.request({ code: 'POST', path: ['a'], block1: block(1, false, 2), payload: body(1) });
    await harness.clock.advance(10);
    expect(bodies.map((request) => request.payload[0])).toEqual([2, 1, 3]);
  });

  it('a block that is not the last and not full is 4.00', async () => {
    const { put } = uploads();
    expect(await put(0, true, 6, body(1000))).toMatch('ACK 4.00');
  });

  it('a body that passes the limit is 4.13 with Size1, and its memory is free again', async () => {
    const { harness, put } = uploads({ maxBody: 2048 });
    await put(0, true, 6, body(1024));
    await put(1, true, 6, body(1024));
    expect(await put(2, false, 6, body(1))).toMatch('ACK 4.13');
    expect(option(harness.client.last, 'Size1')).toBe(2048);
    expect(harness.metric('upload_bytes')).toBe(0);
  });

  it('a body whose announced size passes the limit is 4.13 at its first block', async () => {
    const { harness } = uploads({ maxBody: 2048 });
    harness.client.request({
      code: 'POST',
      block1: block(0, true, 6),
      payload: body(1024),
      options: [{ name: 'Size1', value: Buffer.from([0x10, 0x00]) }],
    });
    await harness.clock.advance(10);
    expect(kind(harness.client.last)).toBe('ACK 4.13');
  });

  it('one peer cannot use up what is there for all, and both limits are told apart in the metrics', async () => {
    const { harness, put } = uploads({ uploadBytesPerPeer: 8192, uploadBytes: 16_384 });
    const answers: string[] = [];
    for (let i = 0; i < 6; i++) answers.push((await put(0, true, 6, body(1024), [`p${i}`])).slice(0, 8));
    expect(answers).toEqual(['ACK 2.31', 'ACK 2.31', 'ACK 2.31', 'ACK 2.31', 'ACK 2.31', 'ACK 5.03']);
    expect(option(harness.client.last, 'Max-Age')).toBe(30);
    expect(option(harness.client.last, 'Size1')).toBeUndefined();
    const codes: string[] = [];
    for (let i = 0; i < 6; i++) {
      const other = harness.another('10.0.3.1', 2000 + i);
      other.request({ code: 'POST', block1: block(0, true, 6), payload: body(1024) });
      await harness.clock.advance(10);
      codes.push(other.last.code);
    }
    expect(codes).toEqual(['2.31', '2.31', '2.31', '2.31', '2.31', '5.03']);
    expect(harness.metric('upload_bytes')).toBeLessThanOrEqual(16_384);
    expect(harness.metric('dropped_total', { reason: 'body_peer_budget' })).toBe(1);
    expect(harness.metric('dropped_total', { reason: 'body_budget' })).toBe(1);
  });

  it('bodies that are being worked on are charged until their work is done', async () => {
    const waiting: (() => void)[] = [];
    const answer = () => new Promise<CoapResponse>((resolve) => waiting.push(() => resolve({ code: '2.04' })));
    const harness = new Harness(answer);
    for (const number of [0, 1]) {
      const block1 = block(number, number === 0, 6);
      harness.client.request({ code: 'POST', token: Buffer.from([number]), block1, payload: body(1024) });
      await harness.clock.advance(10);
    }
    expect(waiting).toHaveLength(1);
    expect(harness.metric('upload_bytes')).toBeGreaterThanOrEqual(2048);
    waiting[0]?.();
    await harness.clock.advance(10);
    expect(harness.client.last.code).toBe('2.04');
    expect(harness.metric('upload_bytes')).toBe(0);
  });

  it.each(['throws', 'rejects'])('the memory of a body is free again when its handler %s', async (how) => {
    const harness = new Harness(() => {
      if (how === 'throws') throw new Error('boom');
      return Promise.reject(new Error('boom'));
    });
    for (const number of [0, 1]) {
      harness.client.request({ code: 'POST', block1: block(number, number === 0, 6), payload: body(1024) });
      await harness.clock.advance(10);
    }
    expect(harness.client.last.code).toBe('5.00');
    expect(harness.metric('upload_bytes')).toBe(0);
  });

  it('an upload that stops is forgotten 300 s after its last block', async () => {
    const { harness, put } = uploads();
    await put(0, true, 6, body(1024));
    await harness.clock.advance(200_000);
    await put(1, true, 6, body(1024));
    await harness.clock.advance(299_000);
    expect(harness.metric('upload_bytes')).toBeGreaterThan(0);
    await harness.clock.advance(2_000);
    expect(harness.metric('upload_bytes')).toBe(0);
    expect(await put(2, false, 6, body(3))).toMatch('ACK 4.08');
  });
});

function downloads(respond: (call: number) => CoapResponse, settings: Partial<EndpointSettings> = {}) {
  let calls = 0;
  const harness = new Harness(() => respond(++calls), settings);
  let token = 0;
  const get = async (block2?: number, path = ['big']) => {
    harness.client.request({ path, token: Buffer.from([token++]), block2 });
    await harness.clock.advance(10);
    return harness.client.last;
  };
  return { harness, get, calls: () => calls };
}

describe('Block2 (RFC 7959 section 2.4)', () => {
  it('TV-355: 2500 bytes come as 1024, 1024, 452, from one call, all with the same ETag and Content-Format', async () => {
    const { get, calls } = downloads(() => ({ code: '2.05', payload: body(2500), contentFormat: 42 }));
    const blocks = [await get(), await get(block(1, false, 6)), await get(block(2, false, 6))];
    expect(blocks.map((packet) => packet.payload.length)).toEqual([1024, 1024, 452]);
    expect(blocks.map((packet) => option(packet, 'Block2'))).toEqual([
      block(0, true, 6),
      block(1, true, 6),
      block(2, false, 6),
    ]);
    expect(blocks.map((packet) => option(packet, 'Content-Format'))).toEqual([42, 42, 42]);
    expect(blocks.map((packet) => option(packet, 'Size2'))).toEqual([2500, undefined, undefined]);
    const etags = new Set(blocks.map((packet) => optionBytes(packet, 'ETag')?.toString('hex')));
    expect([...etags]).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)]);
    expect(Buffer.concat(blocks.map((packet) => packet.payload))).toEqual(body(2500));
    expect(calls()).toBe(1);
  });

  it('TV-366: a client that offers 256 bytes gets ten blocks of at most 256', async () => {
    const { get } = downloads(() => ({ code: '2.05', payload: body(2500) }));
    const blocks = [];
    for (let number = 0; number < 10; number++) blocks.push(await get(block(number, false, 4)));
    expect(blocks.map((packet) => packet.payload.length)).toEqual([...new Array(9).fill(256), 196]);
    expect(blocks.map((packet) => option(packet, 'Block2'))).toEqual(blocks.map((_, i) => block(i, i < 9, 4)));
  });

  it('TV-367: number 2 asked for directly runs the handler and gives bytes 2048 on', async () => {
    const { get, calls } = downloads(() => ({ code: '2.05', payload: body(2500) }));
    expect((await get(block(2, false, 6))).payload).toEqual(body(2500).subarray(2048));
    expect(calls()).toBe(1);
  });

  it('a body that changes meanwhile is finished as it was begun', async () => {
    const { get } = downloads((call) => ({ code: '2.05', payload: body(2500, call) }));
    const blocks = [await get(), await get(block(1, false, 6)), await get(block(2, false, 6))];
    expect(Buffer.concat(blocks.map((packet) => packet.payload))).toEqual(body(2500, 1));
  });

  it.each([
    ['short', { code: '2.05', payload: 'short' }, undefined],
    ['short, and is asked for by block,', { code: '2.05', payload: 'short' }, block(0, false, 6)],
    ['empty', { code: '2.03' }, undefined],
    ['gone', { code: '4.04' }, undefined],
  ])('when what is there now is %s no later block comes from what was there before', async (_what, now, block2) => {
    const { get, calls } = downloads((call) => (call === 2 ? now : { code: '2.05', payload: body(2500, call) }));
    await get();
    expect((await get(block2)).code).toBe(now.code);
    expect((await get(block(1, false, 6))).payload).toEqual(body(2500, 3).subarray(1024, 2048));
    expect(calls()).toBe(3);
  });

  it('a refusal for want of room leaves what is being read alone', async () => {
    const { get, calls } = downloads((call) => (call === 2 ? { code: '5.03' } : { code: '2.05', payload: body(2500) }));
    await get();
    expect((await get()).code).toBe('5.03');
    expect((await get(block(1, false, 6))).payload).toEqual(body(2500).subarray(1024, 2048));
    expect(calls()).toBe(2);
  });

  it('credentials that belong to another device by now are not shown what was kept for the first', async () => {
    const { harness, get } = downloads((call) => ({ code: '2.05', payload: body(2500, call) }));
    harness.ownerOf = () => 'one';
    await get();
    harness.ownerOf = () => 'other';
    expect((await get(block(1, false, 6))).payload).toEqual(body(2500, 2).subarray(1024, 2048));
    harness.client.request({ code: 'POST' });
    await harness.clock.advance(10);
    harness.ownerOf = () => 'one';
    harness.client.request({ code: 'POST', block2: block(1, false, 6) });
    await harness.clock.advance(10);
    expect(harness.client.last.code).toBe('4.08');
  });

  it('a body that is no longer kept is made again', async () => {
    const { get, calls } = downloads(() => ({ code: '2.05', payload: body(2500) }), { downloadBytes: 4000 });
    await get();
    await get(undefined, ['other']);
    expect((await get(block(1, false, 6))).payload).toEqual(body(2500).subarray(1024, 2048));
    expect(calls()).toBe(3);
  });

  it('a block beyond the end is 4.00', async () => {
    const { get } = downloads(() => ({ code: '2.05', payload: body(2500) }));
    await get();
    expect((await get(block(9, false, 6))).code).toBe('4.00');
  });

  it('the own ETag of a response is kept', async () => {
    const { get } = downloads(() => ({ code: '2.05', payload: body(2500), etag: Buffer.from('ff8001', 'hex') }));
    expect(optionBytes(await get(), 'ETag')?.toString('hex')).toBe('ff8001');
  });

  it('1024 bytes are one message; text is counted in UTF-8', async () => {
    const { get } = downloads((call) => ({ code: '2.05', payload: call === 1 ? body(1024) : 'é'.repeat(900) }));
    expect(option(await get(), 'Block2')).toBeUndefined();
    const second = await get();
    expect([second.payload.length, option(second, 'Size2')]).toEqual([1024, 1800]);
  });

  it('a POST is never run a second time for its later blocks', async () => {
    const { harness, calls } = downloads(() => ({ code: '2.04', payload: body(1500) }), { downloadBytes: 600 });
    harness.client.request({ code: 'POST' });
    await harness.clock.advance(10);
    harness.client.request({ code: 'POST', block2: block(1, false, 6) });
    await harness.clock.advance(10);
    expect([calls(), harness.client.last.code]).toEqual([1, '4.08']);
  });

  it('another peer does not get the body kept for this one', async () => {
    const { harness, get, calls } = downloads((call) => ({ code: '2.05', payload: body(2500, call) }));
    await get();
    const other = harness.another();
    other.request({ path: ['big'], block2: block(1, false, 6) });
    await harness.clock.advance(10);
    expect(other.last.payload).toEqual(body(2500, 2).subarray(1024, 2048));
    expect(calls()).toBe(2);
  });
});

describe('what is refused', () => {
  it('is counted by reason', async () => {
    const { harness, put } = uploads({ maxBody: 1500 });
    await put(0, true, 6, body(1000));
    await put(3, false, 6, body(10));
    await put(0, true, 6, body(1024));
    await put(1, false, 6, body(1024));
    const counted = [
      'block_malformed',
      'block_incomplete',
      'body_too_large',
      'body_peer_budget',
      'body_budget',
    ] as const;
    expect(counted.map((reason) => harness.metric('dropped_total', { reason }))).toEqual([1, 1, 1, 0, 0]);
  });
});

it('no body is kept for a stranger: each block is made anew', async () => {
  let calls = 0;
  const handler = () => ({ code: '2.05', payload: `public ${++calls}${'x'.repeat(20)}` });
  const harness = new Harness(handler, {}, true);
  for (const number of [0, 1]) {
    harness.client.request({ path: ['a'.repeat(60)], block2: block(number, false, 0) });
    await harness.clock.advance(10);
  }
  expect(harness.client.received.map((packet) => packet.payload.length)).toEqual([16, 12]);
  expect(calls).toBe(2);
  expect(harness.metric('download_bytes')).toBe(0);
});
