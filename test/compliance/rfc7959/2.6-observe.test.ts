import { statementsOf } from '../statement';
import { block, bytes, FakeSource, option, optionBytes, said, talk } from './blocks';

const { shows } = statementsOf('RFC 7959');

const text = (length: number, letter = 'x') => letter.repeat(length);

async function observed(block2?: number) {
  const source = new FakeSource();
  const there = talk(({ observe }) =>
    observe === 0 ? { code: '2.05', payload: 'first', observation: source } : { code: '2.05', payload: bytes(2500) },
  );
  const registration = await there.ask({ observe: 0, token: Buffer.from('0b', 'hex'), block2 });
  const notified = async (payload: string) => {
    source.notify(payload);
    await there.clock.advance(10);
    return there.client.last;
  };
  return { there, source, registration, notified };
}

shows(
  '2.6',
  'describes',
  'a notification longer than a block comes as its first block, with ETag, Observe and Size2',
  async () => {
    const { notified } = await observed();
    const first = await notified(text(2000));
    expect(said(first)).toBe('CON 2.05 2:0/1/1024');
    expect(option(first, 'Observe')).toBeGreaterThan(0);
    expect(option(first, 'Size2')).toBe(2000);
    expect(option(first, 'Content-Format')).toBe(50);
    expect(optionBytes(first, 'ETag')).toHaveLength(8);
  },
);

shows(
  '2.6',
  'describes',
  'the rest of it is read by GET without Observe, under any token, and has no Observe',
  async () => {
    const { there, notified } = await observed();
    const first = await notified(text(2000));
    const second = await there.get(1, 1024);
    expect(said(second)).toBe('ACK 2.05 2:1/0/1024');
    expect(Buffer.concat([first.payload, second.payload]).toString()).toBe(text(2000));
    expect(optionBytes(second, 'ETag')).toEqual(optionBytes(first, 'ETag'));
    expect([option(second, 'Observe'), option(second, 'Content-Format')]).toEqual([undefined, 50]);
    expect(there.handled).toHaveLength(1);
  },
);

shows('2.6', 'describes', 'a request for a later block never registers, even with Observe in it', async () => {
  const { there, notified } = await observed();
  await notified(text(2000));
  const second = await there.ask({ observe: 0, block2: block(1, false, 1024) });
  expect([option(second, 'Observe'), second.payload.length]).toEqual([undefined, 976]);
  expect(there.metric('observations')).toBe(1);
});

shows('2.6', 'describes', 'the block size of the registration holds for the notifications', async () => {
  const { there, registration, notified } = await observed(block(0, false, 64));
  expect(said(registration)).toBe('ACK 2.05 2:0/0/64');
  expect(said(await notified(text(150)))).toBe('CON 2.05 2:0/1/64');
  const rest = [await there.get(1, 64), await there.get(2, 64)];
  expect(rest.map(({ payload }) => payload.length)).toEqual([64, 22]);
  expect(said(await notified('short'))).toBe('CON 2.05');
});

shows('2.6', 'describes', 'the next notification waits while the rest of a long one is being fetched', async () => {
  const { there, notified } = await observed();
  await notified(text(3100, 'a'));
  await notified(text(2100, 'b'));
  for (const number of [1, 2, 3]) {
    await there.get(number, 1024);
    if (number < 3) await there.clock.advance(3_000);
  }
  await there.clock.advance(10);
  const payloads = there.client.received.slice(1).map(({ payload }) => payload.toString());
  const block = text(1024, 'a');
  expect(payloads).toEqual([block, block, block, text(28, 'a'), text(1024, 'b')]);
});

shows('2.6', 'describes', 'the next one follows the ACK of a long one whose rest nobody asks for', async () => {
  const { there, notified } = await observed();
  await notified(text(2100, 'a'));
  await notified('short');
  await there.clock.advance(450);
  expect(there.client.last.payload.toString()).toBe(text(1024, 'a'));
  await there.clock.advance(100);
  expect(there.client.last.payload.toString()).toBe('short');
  const rest = [await there.get(1, 1024), await there.get(2, 1024)];
  expect(rest.map(({ payload }) => payload.toString())).toEqual([text(1024, 'a'), text(52, 'a')]);
});

shows('2.6', 'describes', 'a reader who takes too long for the rest holds up nothing any more', async () => {
  const { there, notified } = await observed();
  await notified(text(40_000, 'a'));
  await notified('short');
  for (let number = 1; number < 11; number++) {
    expect(there.client.last.payload.toString()).toBe(text(1024, 'a'));
    await there.get(number, 1024);
    await there.clock.advance(3_000);
  }
  expect(there.client.last.payload.toString()).toBe('short');
  expect((await there.get(11, 1024)).payload.toString()).toBe(text(1024, 'a'));
});

shows('2.6', 'describes', 'blocks of a newer notification have another ETag than the older one', async () => {
  const { there, notified } = await observed();
  const older = await notified(text(2000, 'a'));
  await there.clock.advance(600);
  const newer = await notified(text(2000, 'b'));
  const rest = await there.get(1, 1024);
  expect(optionBytes(newer, 'ETag')).not.toEqual(optionBytes(older, 'ETag'));
  expect(optionBytes(rest, 'ETag')).toEqual(optionBytes(newer, 'ETag'));
  expect(rest.payload.toString()).toBe(text(976, 'b'));
});

shows('2.6', 'describes', 'a registration whose first answer is long is answered by block, and observes', async () => {
  const source = new FakeSource();
  const there = talk(() => ({ code: '2.05', payload: bytes(2500), observation: source }));
  const first = await there.ask({ observe: 0 });
  expect([said(first), option(first, 'Observe')]).toEqual(['ACK 2.05 2:0/1/1024', 0]);
  const rest = [await there.get(1, 1024), await there.get(2, 1024)];
  expect(Buffer.concat([first, ...rest].map(({ payload }) => payload))).toEqual(bytes(2500));
  expect(rest.map((packet) => option(packet, 'Observe'))).toEqual([undefined, undefined]);
  expect([there.handled.length, there.metric('observations')]).toEqual([1, 1]);
});

shows('2.6', 'describes', 'what changes after such an answer is told when nobody asks for the rest of it', async () => {
  const source = new FakeSource();
  const there = talk(() => ({ code: '2.05', payload: bytes(2500), observation: source }));
  await there.ask({ observe: 0 });
  source.notify('change');
  await there.clock.advance(2_100);
  expect(there.client.last.payload.toString()).toBe('change');
});
