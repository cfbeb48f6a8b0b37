import { TandemError } from '@tandem/core';
import fc from 'fast-check';
import { blockNumber } from './block-option';
import { Frame, readFrame } from './guard';
import { PeerState } from './peer';
import { readRequest, transferKey } from './request';
import type { CoapResponse } from './response';
import { DEFAULT_SETTINGS } from './settings';
import { kind } from './testing/fake-client';
import type { FakeSocket } from './testing/fake-network';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';
import { anyDatagram, malformed, soundRequest, upload } from './testing/hostile-datagrams';
import { write } from './testing/message-writer';

/** Long enough for every retransmission, every handler's time limit and every unfinished upload to be over. */
const MINUTES = 15 * 60_000;
/** A fixed seed: what fails here fails for everybody. */
const PARAMETERS = { seed: 20_260, numRuns: 60 };
const BODY = 'y'.repeat(3_000);
const LIMITS = {
  maxPeers: 4,
  maxObservations: 4,
  maxObservationsPerPeer: 3,
  maxRunning: 12,
  maxRunningPerPeer: 5,
  maxQueuedPerPeer: 2,
  maxBody: 4_096,
  uploadBytesPerPeer: 4_096,
  uploadBytes: 8_192,
  maxStrangerBody: 2_048,
  strangerBytesPerSource: 3_072,
  strangerBytes: 4_096,
  downloadBytes: 8_192,
  deduplicationBytes: 65_536,
};

/** What a device API does, in every tempo. Only who says `key` has credentials. */
class World {
  readonly sources: FakeSource[] = [];
  readonly harness = new Harness(
    (request) => {
      if (request.path.includes('key')) request.authenticate('device');
      const found = request.path.map((segment) => this.#answers[segment]).find((answer) => answer !== undefined);
      return found?.() ?? { code: request.path.includes('key') ? '2.04' : '4.04' };
    },
    LIMITS,
    true,
  );
  readonly #answers: Readonly<Record<string, () => CoapResponse | Promise<CoapResponse>>> = {
    quick: () => ({ code: '4.01' }),
    prompt: async () => ({ code: '2.05', payload: 'x'.repeat(50), contentFormat: 50 }),
    slow: () => this.#after(800, { code: '2.05', payload: 'x'.repeat(50), contentFormat: 50, maxAge: 5 }),
    // Long after it has been answered 5.04.
    never: () => this.#after(120_000, { code: '2.05', payload: BODY }),
    long: () => ({ code: '2.05', payload: BODY, contentFormat: 50 }),
    fails: () => Promise.reject(new TandemError('STORE_UNAVAILABLE', { retryAfter: 5_000 })),
    watch: () => {
      const observation = new FakeSource();
      for (const state of ['a', 'b', BODY]) observation.notify(state);
      this.sources.push(observation);
      return { code: '2.05', payload: 'now', observation };
    },
  };

  readonly mouths = [0, 1, 2].map((n) => new Mouth(this.harness.network.bind(`10.9.0.${n}`, 4_000 + n)));

  /** One arrives, and what it leads to at once. */
  async feed(mouth: Mouth | undefined, datagram: Buffer): Promise<Buffer[]> {
    mouth?.send(datagram, this.harness.endpoint.local);
    await this.harness.clock.advance(3);
    return mouth?.news() ?? [];
  }

  /** The endpoint is as it should be, whatever has happened to it. */
  async expectSound(): Promise<void> {
    const { harness } = this;
    harness.client.request({ path: ['key'], messageId: 0xabcd });
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.04']);
    expect(harness.log.filter(({ level }) => level === 'error')).toEqual([]);
    const idle = (['running_exchanges', 'upload_bytes', 'stranger_upload_bytes'] as const).map((name) =>
      harness.metric(name),
    );
    expect(idle).toEqual([0, 0, 0]);
    this.expectBounded();
  }

  expectBounded(): void {
    const { harness } = this;
    expect(harness.metric('observations')).toBeLessThanOrEqual(LIMITS.maxObservations);
    expect(harness.metric('running_exchanges')).toBeLessThanOrEqual(LIMITS.maxRunning);
    expect(harness.metric('upload_bytes')).toBeLessThanOrEqual(LIMITS.uploadBytes);
    expect(harness.metric('stranger_upload_bytes')).toBeLessThanOrEqual(LIMITS.strangerBytes);
    expect(harness.metric('download_bytes')).toBeLessThanOrEqual(LIMITS.downloadBytes);
    expect(harness.metric('deduplication_bytes')).toBeLessThanOrEqual(LIMITS.deduplicationBytes);
    // Busy ones are kept beyond the limit on idle ones: three mouths and the client.
    expect(harness.metric('peers')).toBeLessThanOrEqual(LIMITS.maxPeers + 4);
  }

  #after(delay: number, response: CoapResponse): Promise<CoapResponse> {
    return new Promise((resolve) => this.harness.clock.setTimer(delay, () => resolve(response)));
  }
}

/** A socket that counts both ways. */
class Mouth {
  sent = 0;
  received = 0;
  /** The message type that meets a confirmable message; 0 for none. */
  reaction: 0 | 2 | 3 = 0;
  #news: Buffer[] = [];

  constructor(readonly socket: FakeSocket) {
    socket.receive((datagram, address, port) => {
      this.received += datagram.length;
      this.#news.push(datagram);
      const confirmable = ((datagram[0] ?? 0) >> 4) % 4 === 0;
      if (!confirmable || this.reaction === 0) return;
      this.send(Buffer.from([0x40 | (this.reaction << 4), 0, datagram[2] ?? 0, datagram[3] ?? 0]), { address, port });
    });
  }

  send(datagram: Buffer, to: { readonly address: string; readonly port: number }): void {
    this.sent += datagram.length;
    this.socket.send(datagram, { ...to, session: undefined });
  }

  news(): Buffer[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }
}

interface Burst {
  readonly mouth: number;
  readonly datagrams: readonly Buffer[];
  /** What meets our confirmable messages from then on: nothing, an acknowledgement (2) or a Reset (3). */
  readonly reaction: 0 | 2 | 3;
  /** Then so much time passes. */
  readonly pause: number;
}

/** Single datagrams, some of them more than once, and uploads of many. */
const traffic: fc.Arbitrary<Burst[]> = fc.array(
  fc.record<Burst>({
    mouth: fc.nat(2),
    datagrams: fc.oneof<fc.MaybeWeightedArbitrary<Buffer[]>[]>(
      { weight: 6, arbitrary: anyDatagram.map((datagram) => [datagram]) },
      {
        weight: 2,
        arbitrary: fc.tuple(anyDatagram, fc.integer({ min: 2, max: 4 })).map(([one, n]) => Array(n).fill(one)),
      },
      { weight: 1, arbitrary: upload },
    ),
    reaction: fc.constantFrom(0, 2, 3),
    pause: fc.constantFrom(0, 0, 0, 700, 60_000),
  }),
  { minLength: 1, maxLength: 25, size: 'max' },
);

/** The same of a stranger: the one path segment that has credentials is spelt otherwise. */
function withoutKey(datagram: Buffer): Buffer {
  return Buffer.from(datagram.toString('latin1').replaceAll('key', 'kez'), 'latin1');
}

/** Without what is answered later, so that every reply belongs to the datagram before it. */
function withoutDelay(datagram: Buffer): Buffer {
  return Buffer.from(datagram.toString('latin1').replaceAll('slow', 'long').replaceAll('never', 'fails'), 'latin1');
}

describe('the reader of messages', () => {
  const frame = new Frame();
  const peer = () => new PeerState('10.0.0.1:1', '10.0.0.1', 1, undefined, 7);

  it('takes any bytes without an exception, and finds all parts of what it accepts inside of them', () => {
    fc.assert(
      fc.property(anyDatagram, (datagram) => {
        if (readFrame(datagram, DEFAULT_SETTINGS.maxDatagram, frame) !== undefined || frame.code === 0) return;
        const { optionsStart, optionsEnd, payloadStart } = frame;
        expect([4 + frame.tokenLength, optionsStart, optionsEnd, payloadStart, datagram.length]).toEqual(
          [4 + frame.tokenLength, optionsStart, optionsEnd, payloadStart, datagram.length].sort((a, b) => a - b),
        );
        const request = readRequest(peer(), datagram, frame);
        expect([...request.path, ...request.query].length).toBeLessThanOrEqual(optionsEnd - optionsStart);
        for (const value of [request.block1, request.block2]) expect(value).toBeLessThan(1 << 24);
        expect(request.payload.length).toBe(datagram.length - payloadStart);
        expect(transferKey(request)).toContain(peer().key);
      }),
      { ...PARAMETERS, numRuns: 1_200 },
    );
  });

  it('reads a sound request as it was written: path, query, token and payload', () => {
    fc.assert(
      fc.property(soundRequest, (message) => {
        const datagram = write(message);
        fc.pre(datagram.length <= DEFAULT_SETTINGS.maxDatagram);
        expect(readFrame(datagram, DEFAULT_SETTINGS.maxDatagram, frame)).toBeUndefined();
        const request = readRequest(peer(), datagram, frame);
        const values = (number: number) =>
          message.options.filter((option) => option.number === number).map(({ value }) => value.toString());
        expect(request.fault).toBeUndefined();
        expect(request.path).toEqual(values(11));
        expect(request.query).toEqual(values(15));
        expect(request.token.equals(message.token)).toBe(true);
        expect(request.payload.equals(message.payload)).toBe(true);
        expect(request.messageId).toBe(message.messageId);
      }),
      { ...PARAMETERS, numRuns: 800 },
    );
  });

  it('says of what is no message why it is none', () => {
    fc.assert(
      fc.property(malformed, ({ datagram, reason }) => {
        fc.pre(reason === 'too_long' || datagram.length <= DEFAULT_SETTINGS.maxDatagram);
        expect(readFrame(datagram, DEFAULT_SETTINGS.maxDatagram, frame)).toBe(reason);
      }),
      { ...PARAMETERS, numRuns: 800 },
    );
  });
});

/** What may end a request in blocks, which is as long as all of them. */
function isLaterBlock(datagram: Buffer): boolean {
  const frame = new Frame();
  if (readFrame(datagram, DEFAULT_SETTINGS.maxDatagram, frame) !== undefined) return false;
  return blockNumber(readRequest(new PeerState('', '', 0, undefined, 0), datagram, frame).block1) > 0;
}

describe('an endpoint in hostile traffic', () => {
  it('answers what is no message with silence, or with a Reset of its message id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(malformed, { maxLength: 10 }), async (messages) => {
        const world = new World();
        for (const { datagram } of messages) {
          const replies = await world.feed(world.mouths[0], datagram);
          const reset = Buffer.from([0x70, 0, datagram[2] ?? 0, datagram[3] ?? 0]);
          expect(replies.length).toBeLessThanOrEqual(1);
          for (const reply of replies) expect(reply.equals(reset)).toBe(true);
        }
        await world.harness.clock.advance(MINUTES);
        expect(world.mouths[0]?.news()).toEqual([]);
        await world.expectSound();
      }),
      PARAMETERS,
    );
  });

  it('gives a stranger at most one reply to a datagram, and at most three times the bytes of its request', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (bursts) => {
        const world = new World();
        for (const { mouth, datagrams } of bursts) {
          for (const datagram of datagrams.map(withoutKey).map(withoutDelay)) {
            const replies = await world.feed(world.mouths[mouth], datagram);
            // An expectation costs more than all the rest.
            const bytes = Buffer.concat(replies).length;
            const asked = isLaterBlock(datagram) ? (world.mouths[mouth]?.sent ?? 0) : datagram.length;
            if (replies.length > 1 || bytes > 3 * asked) expect({ datagram, replies }).toBeUndefined();
          }
        }
        await world.harness.clock.advance(MINUTES);
        await world.expectSound();
      }),
      PARAMETERS,
    );
  });

  it('gives a stranger that acknowledges nothing at most three times the bytes it sent, all repetitions included', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (bursts) => {
        const world = new World();
        for (const { mouth, pause, datagrams } of bursts) {
          for (const datagram of datagrams) await world.feed(world.mouths[mouth], withoutKey(datagram));
          await world.harness.clock.advance(pause);
        }
        await world.harness.clock.advance(MINUTES);
        for (const { sent, received } of world.mouths) expect(received).toBeLessThanOrEqual(3 * sent);
        expect(world.harness.metric('observations')).toBe(0);
        expect(world.sources.every(({ ends }) => ends.length === 1)).toBe(true);
        await world.expectSound();
      }),
      PARAMETERS,
    );
  });

  it('holds its limits, logs no error and answers the next request, also where credentials are valid', async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (bursts) => {
        const world = new World();
        for (const { mouth, pause, reaction, datagrams } of bursts) {
          for (const waiting of world.mouths) waiting.reaction = reaction;
          for (const datagram of datagrams) {
            await world.feed(world.mouths[mouth], datagram);
          }
          world.expectBounded();
          await world.harness.clock.advance(pause);
        }
        await world.harness.clock.advance(MINUTES);
        await world.expectSound();
        await world.harness.endpoint.close({ graceful: false });
        expect(world.sources.every(({ ends }) => ends.length === 1)).toBe(true);
        expect(world.harness.metric('observations')).toBe(0);
      }),
      PARAMETERS,
    );
  });
});
