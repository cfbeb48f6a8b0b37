import { TandemError } from '@tandem/core';
import { PeerState } from './peer';
import { Reliability } from './reliability';
import type { CoapResponse } from './response';
import { kind } from './testing/fake-client';
import { FakeClock } from './testing/fake-clock';
import { FakeRandom } from './testing/fake-random';
import { Harness } from './testing/harness';
import { TimerWheel } from './timer-wheel';

const later = (harness: () => Harness, delay: number, response: CoapResponse) => () =>
  new Promise<CoapResponse>((resolve) => harness().clock.setTimer(delay, () => resolve(response)));

function slow(delay: number, response: CoapResponse = { code: '2.05', payload: 'late' }, settings = {}): Harness {
  const harness: Harness = new Harness(
    later(() => harness, delay, response),
    settings,
  );
  return harness;
}

describe('piggybacked and separate responses (RFC 7252 section 5.2, contract 2.9)', () => {
  it.each([0, 100, 490])('TV-277: an answer that takes %i ms is in the Acknowledgement', async (delay) => {
    const harness = slow(delay);
    harness.client.request({ token: Buffer.from('0102030405060708', 'hex'), messageId: 77 });
    await harness.clock.advance(5_000);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.05']);
    expect(harness.client.last).toMatchObject({ messageId: 77, token: Buffer.from('0102030405060708', 'hex') });
  });

  it('TV-276: an answer after 1 s follows an empty Acknowledgement near 500 ms as a CON with the same token', async () => {
    const harness = slow(1_000);
    harness.client.request({ token: Buffer.from('cafe', 'hex'), messageId: 77 });
    await harness.clock.advance(450);
    expect(harness.client.received).toEqual([]);
    await harness.clock.advance(100);
    expect(harness.client.take()).toMatchObject([{ ack: true, code: '0.00', messageId: 77, token: Buffer.alloc(0) }]);
    await harness.clock.advance(20_000);
    expect(harness.client.received.map(kind)).toEqual(['CON 2.05']);
    expect(harness.client.last.token.toString('hex')).toBe('cafe');
    expect(harness.client.last.messageId).not.toBe(77);
  });

  it('a separate response is repeated 4 times with doubling waits until the exchange is given up', async () => {
    const harness = slow(1_000);
    harness.client.acknowledges = false;
    harness.client.request({});
    const arrivals: number[] = [];
    for (let t = 0; t < 120_000; t += 50) {
      const before = harness.client.received.length;
      await harness.clock.advance(50);
      if (harness.client.received.length > before && kind(harness.client.last) === 'CON 2.05') arrivals.push(t);
    }
    expect(arrivals).toHaveLength(5);
    const waits = arrivals.slice(1).map((t, i) => t - (arrivals[i] ?? 0));
    const first = waits[0] ?? 0;
    expect(first).toBeGreaterThanOrEqual(1_950);
    expect(first).toBeLessThanOrEqual(3_100);
    for (const [i, wait] of waits.entries()) expect(Math.abs(wait - first * 2 ** i)).toBeLessThan(500);
    expect(new Set(harness.client.received.slice(1).map((packet) => packet.messageId)).size).toBe(1);
    expect(harness.metric('retransmissions_total')).toBe(4);
    expect(harness.metric('timeouts_total')).toBe(1);
  });

  it.each(['acknowledge', 'reset'] as const)('an %s ends the repetitions', async (answer) => {
    const harness = slow(1_000);
    harness.client.acknowledges = false;
    harness.client.request({});
    await harness.clock.advance(5_000);
    harness.client[answer](harness.client.last);
    await harness.clock.advance(10);
    harness.client.take();
    await harness.clock.advance(120_000);
    expect(harness.client.received).toEqual([]);
  });

  it('TV-247: a NON request gets a NON response, however late, and no Acknowledgement', async () => {
    const harness = slow(3_000);
    harness.client.request({ confirmable: false });
    await harness.clock.advance(120_000);
    expect(harness.client.received.map(kind)).toEqual(['NON 2.05']);
  });

  it('NSTART 1: a second separate response leaves when the first is acknowledged', async () => {
    const harness = slow(1_000);
    harness.client.acknowledges = false;
    harness.client.request({ token: Buffer.from([1]) });
    harness.client.request({ token: Buffer.from([2]) });
    await harness.clock.advance(1_500);
    const cons = () => harness.client.received.filter((packet) => packet.confirmable);
    expect(cons().map((packet) => packet.token[0])).toEqual([1]);
    harness.client.acknowledge(harness.client.last);
    await harness.clock.advance(10);
    expect(cons().map((packet) => packet.token[0])).toEqual([1, 2]);
  });

  it('separate responses that find the queue of their peer full are dropped and counted', async () => {
    const harness = slow(1_000, { code: '2.04' }, { maxQueuedPerPeer: 2 });
    harness.client.acknowledges = false;
    for (let i = 0; i < 5; i++) harness.client.request({ token: Buffer.from([i]) });
    await harness.clock.advance(2_000);
    expect(harness.metric('dropped_total', { reason: 'queue_full' })).toBe(2);
  });

  it('everything arrives in the end over a network that loses a third and doubles and overtakes', async () => {
    const harness = slow(700, { code: '2.04' });
    harness.network.conditions = { loss: 0.3, duplication: 0.3, delay: 20, jitter: 200 };
    const done = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const client = harness.another('10.0.1.1', 1000 + i);
      const datagram = client.request({ messageId: 100 + i });
      for (let round = 0; round < 5; round++) {
        await harness.clock.advance(200);
        if (client.received.some((packet) => packet.code === '2.04')) done.add(i);
        else client.send(datagram);
      }
    }
    await harness.clock.advance(100_000);
    expect(harness.metric('received_requests_total')).toBeLessThanOrEqual(40);
    expect(harness.metric('running_exchanges')).toBe(0);
    expect(harness.metric('responses_total', { code: '2.04' })).toBe(harness.metric('received_requests_total'));
  });
});

describe('handlers that fail', () => {
  const answer = async (handler: () => CoapResponse | Promise<CoapResponse>) => {
    const harness = new Harness(handler);
    harness.client.request({});
    await harness.clock.advance(100);
    return harness;
  };

  it.each([
    ['BAD_PAYLOAD', '4.00'],
    ['UNAUTHORIZED', '4.01'],
    ['NOT_FOUND', '4.04'],
    ['TOO_MANY_REQUESTS', '4.29'],
    ['STORE_UNAVAILABLE', '5.03'],
  ] as const)('%s becomes %s without a payload', async (code, expected) => {
    const harness = await answer(async () => {
      throw new TandemError(code, { message: 'words for HTTP' });
    });
    expect(harness.client.last).toMatchObject({ ack: true, code: expected, payload: Buffer.alloc(0), options: [] });
    expect(harness.log).toEqual([]);
  });

  it('an error that says when to retry carries Max-Age in whole seconds, rounded up', async () => {
    const harness = await answer(() => {
      throw new TandemError('TOO_MANY_REQUESTS', { retryAfter: 1_200 });
    });
    expect(harness.client.last.options).toEqual([{ name: 'Max-Age', value: Buffer.from([2]) }]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret detail'))],
    ['answers with no CoAP code', () => ({ code: 'OK' })],
    ['answers nothing', () => undefined as unknown as CoapResponse],
    ['resolves to nothing', async () => undefined as unknown as CoapResponse],
  ])('a handler that %s is a 5.00 with the id of its log line, and nothing else', async (_name, handler) => {
    const harness = await answer(handler);
    expect(harness.client.last).toMatchObject({ ack: true, code: '5.00', options: [] });
    expect(harness.log.map((line) => line.level)).toEqual(['error']);
    const id = harness.client.last.payload.toString();
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(harness.log[0]?.fields).toMatchObject({ correlationId: id });
  });

  it('an answer that cannot be sent costs a log line, not the process', async () => {
    const broken = { code: '2.05', etag: { length: 4 } as unknown as Buffer, payload: 5 as unknown as Buffer };
    const unsendable = Object.defineProperty({ code: '2.05' }, 'payload', {
      get: () => {
        throw new Error('broken');
      },
    }) as CoapResponse;
    for (const response of [broken, unsendable]) {
      const harness = new Harness((request) =>
        request.path[0] === 'a' ? Promise.resolve(response) : { code: '2.04' },
      );
      harness.client.request({ path: ['a'] });
      harness.client.request({ path: ['b'] });
      await harness.clock.advance(100);
      expect(harness.client.last.code).not.toBe('');
      expect(harness.metric('running_exchanges')).toBe(0);
    }
  });

  it('a handler that never answers is a 5.04 after the time limit, and what it says later is lost', async () => {
    const harness = slow(70_000, { code: '2.05' }, { handlerTimeout: 65_000 });
    harness.client.request({});
    await harness.clock.advance(64_900);
    expect(harness.client.take().map(kind)).toEqual(['ACK 0.00']);
    await harness.clock.advance(200);
    expect(harness.client.take().map(kind)).toEqual(['CON 5.04']);
    await harness.clock.advance(10_000);
    expect(harness.client.received).toEqual([]);
  });

  it('a peer with too many running requests gets 5.03 with Max-Age for the next one', async () => {
    const harness = slow(10_000, { code: '2.05' }, { maxRunningPerPeer: 3 });
    for (let i = 0; i < 4; i++) harness.client.request({});
    const other = harness.another();
    other.request({});
    await harness.clock.advance(100);
    expect(harness.client.received.map(kind)).toEqual(['ACK 5.03']);
    expect(other.received).toEqual([]);
  });
});

describe('a peer whose message ids are all in use (RFC 7252 section 4.4)', () => {
  it('gets no message under an id in use: a Confirmable one leaves when the first ids are free again', async () => {
    const clock = new FakeClock();
    const sent: Buffer[] = [];
    const reliability = new Reliability(
      { ackTimeout: 2_000, ackRandomFactor: 1.5, maxRetransmit: 4, maxQueuedPerPeer: 4, maxUnacknowledged: 100 },
      {
        wheel: new TimerWheel(clock),
        random: new FakeRandom(1),
        now: () => clock.monotonic(),
        send: (datagram) => void sent.push(datagram),
        free() {},
        retransmitted() {},
        gone() {},
        timedOut() {},
      },
    );
    const peer = new PeerState('10.0.0.1:1', '10.0.0.1', 1, undefined, 1);
    const first = reliability.messageId(peer);
    while (reliability.messageId(peer) !== -1);
    const transmission = reliability.send(peer, Buffer.from('40450000', 'hex'));
    await clock.advance(246_000);
    expect([sent.length, reliability.messageId(peer)]).toEqual([0, -1]);
    await clock.advance(4_000);
    expect(sent).toHaveLength(1);
    // The group after the one it began with is the first one to be whole again.
    expect(transmission?.messageId).toBe((first >> 12) << 12);
    expect(sent[0]?.readUInt16BE(2)).toBe(transmission?.messageId);
  });
});
