import { block, blocksOf, bodies, bytes, option, said, talk } from '../rfc7959/blocks';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 9175');

/** Request-Tag options, in hexadecimal. */
const tagged = (...tags: string[]) => ({ options: tags.map((tag) => ({ name: 292, value: Buffer.from(tag, 'hex') })) });

shows('3.3', 'describes', 'uploads of one client to one resource with different Request-Tags do not mix', async () => {
  const there = talk();
  const tags = [{}, tagged('01'), tagged('02'), tagged(''), tagged('01', '02'), tagged('02', '01')];
  for (const [number, more] of blocksOf(bytes(150), 64)) {
    for (const [salt, tag] of tags.entries()) {
      await there.post(number, more, bytes(150, salt).subarray(number * 64, number * 64 + 64), 64, tag);
    }
  }
  expect(bodies(there)).toEqual(tags.map((_, salt) => bytes(150, salt)));
});

shows(
  '3.3',
  'describes',
  'blocks with another list of Request-Tags than the first are 4.08 and do not disturb it',
  async () => {
    const there = talk();
    await there.post(0, true, bytes(64), 64, tagged('0a'));
    for (const other of [{}, tagged('0b'), tagged(''), tagged('0a', '0a')]) {
      expect(await there.post(1, false, bytes(3), 64, other)).toMatch('ACK 4.08');
    }
    expect(await there.post(1, false, bytes(3), 64, tagged('0a'))).toMatch('ACK 2.04');
    expect(there.handled).toHaveLength(1);
  },
);

shows('3.3', 'MUST', 'a Request-Tag is any 0 to 8 bytes: only whether it is the same counts', async () => {
  for (const tag of ['', '00', 'ff', '0000', 'ffffffffffffffff', 'c3283a2c00000000']) {
    const there = talk();
    for (const [number, more, part] of blocksOf(bytes(150), 64)) await there.post(number, more, part, 64, tagged(tag));
    expect(bodies(there)).toEqual([bytes(150)]);
  }
});

shows('3.3', 'describes', 'block 0 with the Request-Tag of an unfinished upload starts it over', async () => {
  const there = talk();
  await there.post(0, true, bytes(64, 1), 64, tagged('07'));
  await there.post(0, true, bytes(64, 2), 64, tagged('07'));
  await there.post(1, false, bytes(3, 2), 64, tagged('07'));
  expect(bodies(there)).toEqual([Buffer.concat([bytes(64, 2), bytes(3, 2)])]);
});

shows(
  '3.3',
  'describes',
  'where there is no room for one more upload, it is put off by 5.03 with Max-Age',
  async () => {
    const there = talk(undefined, { uploadBytesPerPeer: 8_192 });
    for (let i = 0; i < 10; i++) await there.post(0, true, bytes(1024), 1024, tagged(`0${i}`));
    expect(said(there.client.last)).toMatch('ACK 5.03');
    expect(option(there.client.last, 'Max-Age')).toBe(30);
  },
);

shows('3.4', 'describes', 'the reply to a tagged upload is read on with the same Request-Tag', async () => {
  const there = talk(({ payload }) => ({ code: '2.05', payload: bytes(150, payload[0]) }));
  for (const tag of ['01', '02']) {
    const body = bytes(150, Number(tag));
    for (const [number, more, part] of blocksOf(body, 64)) {
      await there.post(number, more, part, 64, { ...tagged(tag), block2: block(0, false, 64) });
    }
  }
  for (const tag of ['01', '02']) {
    const rest = await there.get(1, 64, { code: 'POST', ...tagged(tag) });
    expect(rest.payload).toEqual(bytes(150, Number(tag)).subarray(64, 128));
  }
  expect(there.handled).toHaveLength(2);
});

shows('3.4', 'MUST', 'a Request-Tag in a request of one message changes nothing', async () => {
  const there = talk(() => ({ code: '2.04', payload: 'done' }));
  const answer = await there.ask({ code: 'POST', payload: 'x', ...tagged('01', '02') });
  expect([said(answer), answer.payload.toString()]).toEqual(['ACK 2.04', 'done']);
});

shows('3.4', 'MUST NOT', 'no response carries a Request-Tag', async () => {
  const there = talk(() => ({ code: '2.05', payload: bytes(150) }));
  for (const [number, more, part] of blocksOf(bytes(150), 64)) {
    await there.post(number, more, part, 64, { ...tagged('0c'), block2: block(0, false, 64) });
  }
  await there.get(1, 64, { code: 'POST', ...tagged('0c') });
  for (const packet of there.client.received) {
    expect(packet.options.map(({ name }) => `${name}`)).not.toContain('292');
    expect(packet.options.map(({ name }) => `${name}`)).not.toContain('Request-Tag');
  }
  expect(there.client.received).toHaveLength(4);
});

shows(
  '3.3',
  'describes',
  'options that are part of a cache key tell transfers apart, NoCacheKey options do not',
  async () => {
    const there = talk();
    const withOption = (name: string | number, text: string) => ({ options: [{ name, value: Buffer.from(text) }] });
    await there.post(0, true, bytes(64), 64, withOption('Uri-Host', 'one'));
    expect(await there.post(1, false, bytes(3), 64, withOption('Uri-Host', 'two'))).toMatch('ACK 4.08');
    await there.post(0, true, bytes(64), 64, withOption('Size1', '\x43'));
    expect(await there.post(1, false, bytes(3), 64)).toMatch('ACK 2.04');
  },
);

leaves(
  '3.3',
  'MAY',
  'the Request-Tag is left aside when a cache is asked for the response to a whole request',
  'responses are not cached',
);
