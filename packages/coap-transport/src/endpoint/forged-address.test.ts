import { TandemError } from '@tandem/core';
import type { RequestHandler } from './blockwise';
import { IDS_FOR_DEVICES, IDS_FOR_STRANGERS } from './message-ids';
import { type CoapResponse, PROVE_ADDRESS } from './response';
import type { EndpointSettings } from './settings';
import { kind } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';

const BANNER: CoapResponse = { code: '2.05', payload: 'Tandem' };
const GET_ROOT_NON = Buffer.from('50011234', 'hex');
const PING = Buffer.from('40001234', 'hex');

/** Whoever asks for `device` has credentials; what is sent to other paths anybody may have sent, from any address. */
const endpoint = (device: RequestHandler, forged: RequestHandler, settings: Partial<EndpointSettings> = {}) =>
  new Harness(
    (request) => {
      if (request.path[0] !== 'device') return forged(request);
      request.authenticate('device');
      return device(request);
    },
    settings,
    true,
  );

describe('somebody who writes the address of a device on his datagrams', () => {
  it('gets as many answers in its name as any stranger, whatever he asks for', async () => {
    const ANSWERS: CoapResponse[] = [BANNER, { code: '4.04' }, { code: '4.01' }];
    for (const answer of ANSWERS) {
      const harness = endpoint(
        () => ({ code: '2.01' }),
        () => answer,
        { sourceReplies: 1 },
      );
      harness.client.request({ path: ['device'] });
      await harness.clock.advance(10);
      harness.client.take();
      for (let i = 0; i < 30; i++) harness.client.send(GET_ROOT_NON);
      await harness.clock.advance(10);
      expect(harness.client.received).toHaveLength(10);
      expect(harness.metric('dropped_total', { reason: 'source_replies' })).toBe(20);
    }
  });

  it('gets as many Resets as any stranger', async () => {
    const harness = endpoint(
      () => ({ code: '2.01' }),
      () => BANNER,
      { sourceReplies: 1 },
    );
    harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    harness.client.take();
    for (let i = 0; i < 30; i++) harness.client.send(PING);
    await harness.clock.advance(10);
    expect(harness.client.received).toHaveLength(10);
  });

  it('does not use up what the device itself is answered, be it a challenge', async () => {
    const harness = endpoint(
      () => PROVE_ADDRESS,
      () => BANNER,
      { sourceReplies: 1, echo: true },
    );
    for (let i = 0; i < 30; i++) harness.client.send(GET_ROOT_NON);
    await harness.clock.advance(10);
    harness.client.take();
    for (let i = 0; i < 30; i++) harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(Array(30).fill('ACK 4.01'));
  });

  it('leaves it its notifications, also with all message ids of strangers used up', async () => {
    const source = new FakeSource();
    const harness = endpoint(
      () => ({ code: '2.05', payload: 'a', observation: source }),
      () => BANNER,
      { sourceReplies: 0 },
    );
    const { client } = harness;
    client.request({ path: ['device'], observe: 0, confirmable: false });
    await harness.clock.advance(10);
    const ids = new Set(client.take().map(({ messageId }) => messageId));
    for (let i = 0; i < 66_500; i++) {
      client.send(GET_ROOT_NON);
      if (i % 1_000 === 0) await harness.clock.advance(10);
    }
    await harness.clock.advance(10);
    expect(harness.metric('dropped_total', { reason: 'no_message_id' })).toBeGreaterThan(50_000);
    for (const { messageId } of client.take()) ids.add(messageId);
    const answered = ids.size;
    expect(answered).toBeLessThanOrEqual(1 + (IDS_FOR_STRANGERS.groups << IDS_FOR_STRANGERS.groupBits));
    source.notify('b');
    await harness.clock.advance(1_000);
    const told = client.take();
    expect(told.map(({ payload }) => payload.toString())).toEqual(['b']);
    // A receiver drops what has an id that came before (RFC 7252 section 4.5).
    for (const { messageId } of told) ids.add(messageId);
    expect(ids.size).toBe(answered + 1);
  });

  it('gets no more Empty Acknowledgements than other answers, while the store is slow and however often he repeats', async () => {
    const harness = endpoint(
      () => ({ code: '2.01' }),
      () => new Promise(() => {}),
      { sourceReplies: 1 },
    );
    harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    harness.client.take();
    const requests = Array.from({ length: 30 }, () => harness.client.request({}));
    await harness.clock.advance(600);
    expect(harness.client.take().map(kind)).toEqual(Array(10).fill('ACK 0.00'));
    for (const request of requests) harness.client.send(request);
    await harness.clock.advance(10);
    expect(harness.client.received).toHaveLength(0);
    expect(harness.metric('dropped_total', { reason: 'source_replies' })).toBe(20 + 30);
  });

  it('a device whose Acknowledgement fell to the limit has its answer all the same', async () => {
    let answer: (response: CoapResponse) => void = () => {};
    const harness = new Harness(
      (request) =>
        request.path[0] === 'device'
          ? new Promise<CoapResponse>((resolve) => {
              answer = resolve;
            }).finally(() => request.authenticate('device'))
          : BANNER,
      { sourceReplies: 1 },
      true,
    );
    for (let i = 0; i < 30; i++) harness.client.send(GET_ROOT_NON);
    harness.client.request({ path: ['device'] });
    await harness.clock.advance(550);
    harness.client.take();
    answer({ code: '2.05', payload: 'x' });
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(['CON 2.05']);
  });

  it('does not take its requests under way', async () => {
    const harness = endpoint(
      () => new Promise(() => {}),
      () => new Promise(() => {}),
      { maxRunningPerPeer: 3 },
    );
    for (let i = 0; i < 20; i++) harness.client.request({});
    for (let i = 0; i < 5; i++) harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    expect(harness.metric('dropped_total', { reason: 'exchanges_of_peer' })).toBe(2);
    expect(harness.metric('running_exchanges')).toBe(20 + 3);
  });
});

it('message ids of devices and of strangers have none in common, and are all there are', () => {
  const devices = IDS_FOR_DEVICES.groups << IDS_FOR_DEVICES.groupBits;
  expect(IDS_FOR_DEVICES.first + devices).toBe(IDS_FOR_STRANGERS.first);
  expect(IDS_FOR_STRANGERS.first + (IDS_FOR_STRANGERS.groups << IDS_FOR_STRANGERS.groupBits)).toBe(65_536);
});

describe('a handler that does not end', () => {
  const hung = (settings: Partial<EndpointSettings>) => {
    const ends: ((response: CoapResponse) => void)[] = [];
    const harness = new Harness(() => new Promise((resolve) => void ends.push(resolve)), settings);
    return { harness, ends };
  };

  it.each([
    ['in all', { maxRunning: 2 }, 'exchanges'],
    ['of a peer', { maxRunningPerPeer: 2 }, 'exchanges_of_peer'],
  ] as const)('counts for what may run %s after its request has been answered for it', async (_, settings, reason) => {
    const { harness, ends } = hung({ ...settings, handlerTimeout: 1_000 });
    for (let i = 0; i < 20; i++) {
      harness.client.request({});
      harness.client.request({});
      await harness.clock.advance(2_000);
    }
    expect(ends).toHaveLength(2);
    expect(harness.metric('running_exchanges')).toBe(2);
    expect(harness.metric('dropped_total', { reason })).toBe(38);
    for (const end of ends) end({ code: '2.05' });
    await harness.clock.advance(10);
    expect(harness.metric('running_exchanges')).toBe(0);
    harness.client.request({});
    await harness.clock.advance(10);
    expect(ends).toHaveLength(3);
  });

  it('its request is known as a duplicate all the same, and is not answered again when the endpoint closes', async () => {
    const { harness, ends } = hung({ handlerTimeout: 1_000 });
    const request = harness.client.request({});
    await harness.clock.advance(2_000);
    expect(harness.client.take().map(kind)).toEqual(['ACK 0.00', 'CON 5.04']);
    harness.client.send(request);
    await harness.clock.advance(10);
    expect(harness.client.take().map(kind)).toEqual(['ACK 0.00']);
    expect(harness.metric('dropped_total', { reason: 'duplicate_running' })).toBe(0);
    const closed = harness.endpoint.close();
    await harness.clock.advance(10);
    await closed;
    expect(harness.client.take()).toEqual([]);
    expect(ends).toHaveLength(1);
  });

  it.each([
    ['while they are', 500],
    ['after they are, and what it asks for is done', 3_000],
  ])(
    'its request is done once where its credentials are still being read at its time limit: a copy %s is none',
    async (_, wait) => {
      let done = 0;
      const harness: Harness = new Harness(
        async (request) => {
          await new Promise<void>((resolve) => void harness.clock.setTimer(3_000, resolve));
          request.authenticate('device');
          done++;
          return { code: '2.04' };
        },
        { handlerTimeout: 1_000 },
        true,
      );
      const request = harness.client.request({ code: 'POST' });
      await harness.clock.advance(1_100);
      expect(harness.client.take().map(kind)).toEqual(['ACK 0.00', 'NON 5.04']);
      await harness.clock.advance(wait);
      harness.client.send(request);
      await harness.clock.advance(10_000);
      expect(done).toBe(1);
      expect(harness.metric('duplicate_requests_total')).toBe(1);
      expect(harness.metric('running_exchanges')).toBe(0);
      expect(harness.client.received.filter((packet) => kind(packet) === 'CON 2.04')).toEqual([]);
    },
  );
});

describe('refusals of a handler are counted by reason', () => {
  it.each([
    ['TOO_MANY_REQUESTS', '4.29', 'too_many_requests'],
    ['STORE_UNAVAILABLE', '5.03', 'store_unavailable'],
    ['BACKLOG_FULL', '5.03', 'backlog_full'],
  ] as const)('%s', async (code, answer, reason) => {
    const harness = new Harness(({ path }) => {
      if (path[0] === 'late') return Promise.reject(new TandemError(code));
      throw new TandemError(code);
    });
    harness.client.request({});
    harness.client.request({ path: ['late'] });
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual([`ACK ${answer}`, `ACK ${answer}`]);
    expect(harness.metric('dropped_total', { reason })).toBe(2);
  });
});
