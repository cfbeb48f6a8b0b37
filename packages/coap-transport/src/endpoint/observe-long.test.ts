import type { EndpointSettings } from './settings';
import { type FakeClient, kind, option, optionBytes } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { observed, told } from './testing/observed';

const BLOCK = 1024;
const block = (number: number) => (number << 4) | 6;
const text = (length: number, letter: string) => letter.repeat(length);

/** One observer, whose registration has been answered; a plain GET is answered with 3000 bytes of `g`. */
async function observer(settings: Partial<EndpointSettings> = {}) {
  const there = observed(settings, ({ observe }) =>
    observe === 0 ? undefined : { code: '2.05', payload: text(3000, 'g') },
  );
  const { harness, client } = there;
  await there.register();
  client.take();
  const ask = async (number?: number, who: FakeClient = client) => {
    const block2 = number === undefined ? undefined : block(number);
    who.request({ token: Buffer.from('ee', 'hex'), block2 });
    await harness.clock.advance(10);
    return who.last;
  };
  const notify = async (payload: string, more = {}) => {
    there.source().notify(payload, more);
    await harness.clock.advance(10);
  };
  const first = async (payload: string) => {
    await notify(payload);
    return client.last;
  };
  return { ...there, ask, notify, first };
}

describe('a notification longer than a block', () => {
  it('is there until it is read, whatever the observer asks for meanwhile', async () => {
    const there = await observer();
    const { ask } = there;
    const first = await there.first(text(2100, 'a'));
    const asked = await ask();
    expect(optionBytes(asked, 'ETag')).not.toEqual(optionBytes(first, 'ETag'));
    const rest = [await ask(1), await ask(2)];
    expect(`${first.payload}${rest[0]?.payload}${rest[1]?.payload}`).toBe(text(2100, 'a'));
    expect(optionBytes(await ask(), 'ETag')).toEqual(optionBytes(asked, 'ETag'));
    expect(`${(await ask(1)).payload}`).toBe(text(BLOCK, 'g'));
  });

  it('is there however much others ask for', async () => {
    const { harness, notify, ask } = await observer({ downloadBytes: 20_000 });
    await notify(text(2100, 'a'));
    for (let i = 0; i < 20; i++) await ask(undefined, harness.another('10.0.4.1', 2000 + i));
    expect(harness.metric('download_bytes')).toBeLessThanOrEqual(20_000);
    expect(`${(await ask(1)).payload}${(await ask(2)).payload}`).toBe(text(2100 - BLOCK, 'a'));
    expect(harness.metric('dropped_total', { reason: 'body_unread' })).toBe(0);
  });

  it('makes room for that of another observer only when there is no other room, and that is counted', async () => {
    const there = await observer({ downloadBytes: 4_000 });
    const { harness, client, notify, ask, sources, register } = there;
    await notify(text(2100, 'a'));
    const other = harness.another();
    await register(true, 'bb', other);
    sources.at(-1)?.notify(text(2100, 'b'));
    await harness.clock.advance(10);
    expect(harness.metric('dropped_total', { reason: 'body_unread' })).toBe(1);
    expect(`${(await ask(1, other)).payload}`).toBe(text(BLOCK, 'b'));
    client.take();
    expect(`${(await ask(1)).payload}`).toBe(text(BLOCK, 'g'));
  });

  it('of 600 kB is read whole, though that is more than the share of a peer', async () => {
    const there = await observer();
    const { ask } = there;
    const length = 600_000;
    const first = await there.first(text(length, 'a'));
    expect(option(first, 'Size2')).toBe(length);
    let read = first.payload.length;
    for (let number = 1; read < length; number++) {
      const { payload } = await ask(number);
      expect(payload.length === 0 || payload.some((byte) => byte !== 0x61)).toBe(false);
      read += payload.length;
    }
    expect(read).toBe(length);
  });

  it.each(['10 s without a question for more', 'the end of the observation'])(
    'is like any other after %s',
    async (how) => {
      const { harness, source, notify, ask } = await observer();
      await notify(text(2100, 'a'));
      if (how.startsWith('10')) await harness.clock.advance(10_100);
      else source().relation?.end();
      await ask();
      expect(`${(await ask(1)).payload}`).toBe(text(BLOCK, 'g'));
    },
  );
});

describe('what is too long to be kept at all', () => {
  const SMALL = { downloadBytes: 4_000 };

  it('does not leave: it lapses as if nobody had acknowledged it, the next one follows, and the log says whose it was', async () => {
    const { harness, client, source, notify } = await observer(SMALL);
    Object.assign(source(), { about: { deviceId: 'd1' } });
    await notify(text(5_000, 'a'));
    await notify('next');
    expect(told(client)).toEqual(['CON 2.05 #2 next']);
    expect(source().events).toEqual([`lapsed ${text(5_000, 'a')}`, 'sent next', 'delivered next']);
    expect(harness.log).toEqual([
      expect.objectContaining({ level: 'warn', fields: { deviceId: 'd1', peer: '10.0.0.1:40000', bytes: 5_000 } }),
    ]);
    expect(harness.metric('dropped_total', { reason: 'notification_too_long' })).toBe(1);
    expect(harness.metric('observations')).toBe(1);
  });

  it('ends the observation of a state, so that the observer registers again', async () => {
    const { harness, client, source, notify } = await observer(SMALL);
    await notify(text(5_000, 'a'), { lapsed: undefined });
    expect(client.received.map((packet) => [kind(packet), option(packet, 'Observe')])).toEqual([
      ['CON 5.03', undefined],
    ]);
    expect([source().ends, source().events]).toEqual([['ended'], []]);
    expect(harness.metric('observations')).toBe(0);
  });
});

describe('a registration with a long answer', () => {
  const observable = (length: number, settings: Partial<EndpointSettings> = {}) => {
    let calls = 0;
    return observed(settings, (request) =>
      request.observe === 0
        ? { code: '2.05', payload: text(length, 'r'), observation: new FakeSource() }
        : { code: '2.05', payload: text(3000, `${++calls}`) },
    );
  };

  it('is read whole, whatever the observer asks for meanwhile', async () => {
    const { harness, client, register } = observable(2000);
    await register();
    client.request({});
    client.request({ block2: block(1) });
    await harness.clock.advance(10);
    expect(`${client.last.payload}`).toBe(text(2000 - BLOCK, 'r'));
  });

  it('is refused when the rest of it could not be read', async () => {
    const { harness, client, register } = observable(5000, { downloadBytes: 4_000 });
    await register();
    expect([kind(client.last), option(client.last, 'Observe')]).toEqual(['ACK 5.03', undefined]);
    expect(harness.metric('observations')).toBe(0);
    expect(harness.log).toEqual([]);
  });
});
