import type { RequestHandler } from './blockwise';
import { type CoapResponse, PROVE_ADDRESS } from './response';
import { type ClientRequest, type FakeClient, kind, option, optionBytes } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';

const forever = () => new Promise<never>(() => {});
const LONG = 'x'.repeat(3_000);
const LONGEST_TOKEN = Buffer.from('0102030405060708', 'hex');

/** Whoever asks for `device` has credentials; all others are strangers. */
const withCredentials = (handler: RequestHandler, otherwise: RequestHandler): RequestHandler => {
  return (request) => {
    if (request.path[0] !== 'device') return otherwise(request);
    request.authenticate('device');
    return handler(request);
  };
};

async function ask(harness: Harness, request: ClientRequest, client: FakeClient = harness.client) {
  client.take();
  client.request(request);
  await harness.clock.advance(10);
  return client.last;
}

/** `count` strangers, each at an address of its own, asked the same thing. */
async function flood(harness: Harness, count: number, request: ClientRequest): Promise<void> {
  for (let i = 0; i < count; i++) {
    const stranger = harness.another(`10.9.${i >> 8}.${i & 255}`);
    stranger.request(request);
    if (i % 100 === 99) await harness.clock.advance(10);
    await stranger.socket.close();
  }
  await harness.clock.advance(10);
}

describe('all that one datagram of a stranger makes us send', () => {
  const after = (delay: number, response: CoapResponse) => (harness: Harness) =>
    new Promise<CoapResponse>((resolve) => void harness.clock.setTimer(delay, () => resolve(response)));
  const ANSWERS: readonly [string, (harness: Harness) => CoapResponse | Promise<CoapResponse>][] = [
    ['a refusal', () => ({ code: '4.01' })],
    ['a refusal out of a slow store', after(700, { code: '4.01' })],
    ['an overload out of a slow store', after(700, { code: '5.03', maxAge: 100_000 })],
    ['an answer that never comes', forever],
    ['a long answer', () => ({ code: '2.05', payload: LONG, contentFormat: 40 })],
    ['a long answer out of a slow store', after(700, { code: '2.05', payload: LONG, contentFormat: 40 })],
    ['an observation', () => ({ code: '2.05', payload: LONG, observation: new FakeSource() })],
    ['a challenge', () => PROVE_ADDRESS],
  ];
  const REQUESTS: readonly [string, ClientRequest][] = [
    ['the shortest request', { path: [], token: Buffer.alloc(0) }],
    ['one with the longest token', { path: [], token: LONGEST_TOKEN }],
    ['one of a device', { path: ['api', 'v1', 't', 'rpc'], observe: 0, token: LONGEST_TOKEN }],
    ['one for the smallest blocks', { block2: 0, token: LONGEST_TOKEN }],
    ['one for a later block', { block2: (3 << 4) | 2 }],
    ['a block of a longer one', { code: 'POST', block1: (0 << 4) | 8, payload: 'y'.repeat(16) }],
    ['the end of an observation', { observe: 1 }],
    ['an unknown method', { code: '0.30' }],
    ['an unknown critical option', { options: [{ name: '9', value: Buffer.alloc(0) }] }],
    ['one for a proxy', { options: [{ name: '35', value: Buffer.from('coap://[::1]') }] }],
  ];

  describe.each([true, false])('confirmable: %s', (confirmable) => {
    it.each(REQUESTS)(
      '%s: at most three times as much, whatever the answer and with or without Echo',
      async (_, request) => {
        for (const [what, answer] of ANSWERS) {
          for (const echo of [false, true]) {
            const harness: Harness = new Harness(() => answer(harness), { echo, maxRetransmit: 10 }, true);
            harness.client.acknowledges = false;
            const { length } = harness.client.request({ ...request, confirmable });
            await harness.clock.advance(300_000);
            const sent = harness.client.raw.reduce((sum, datagram) => sum + datagram.length, 0);
            expect({ what, sent: Math.min(sent, 3 * length) }).toEqual({ what, sent });
            expect(harness.client.received.filter((packet) => packet.code !== '0.00').length).toBeLessThanOrEqual(1);
          }
        }
      },
    );
  });

  it('valid credentials of an address that is not proved make no difference to that', async () => {
    for (const [what, answer] of ANSWERS) {
      for (const [, request] of REQUESTS) {
        const harness: Harness = new Harness(() => answer(harness), { echo: true, maxRetransmit: 10 });
        harness.client.acknowledges = false;
        const { length } = harness.client.request(request);
        await harness.clock.advance(300_000);
        const sent = harness.client.raw.reduce((sum, datagram) => sum + datagram.length, 0);
        expect({ what, sent: Math.min(sent, 3 * length) }).toEqual({ what, sent });
        expect(harness.metric('observations')).toBe(0);
      }
    }
  });

  it('a separate answer is sent once, Non-confirmable, and nothing is kept for it', async () => {
    const harness: Harness = new Harness(() => after(700, { code: '4.01' })(harness), {}, true);
    harness.client.request({});
    await harness.clock.advance(60_000);
    expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'NON 4.01']);
    expect(harness.metric('retransmissions_total')).toBe(0);
  });

  it('a short datagram with message id and token of a long exchange does not get its answer', async () => {
    const harness = new Harness(
      withCredentials(
        () => ({ code: '2.05', payload: 'x'.repeat(1_000) }),
        () => ({ code: '4.01' }),
      ),
      {},
      true,
    );
    const request = harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    harness.client.take();
    harness.client.send(request.subarray(0, 5));
    harness.client.send(request);
    await harness.clock.advance(10);
    expect(harness.client.raw.map(({ length }) => length)).toEqual([5, 1_006]);
  });

  it('a ping and a Confirmable message that is malformed get a Reset of four bytes', async () => {
    const harness = new Harness(forever, {}, true);
    for (const datagram of ['40001234', '4001', '400112340000f1', '4f011234', '40451234', '60451234', '70001234']) {
      harness.client.send(Buffer.from(datagram, 'hex'));
    }
    await harness.clock.advance(10);
    expect(harness.client.raw.map(({ length }) => length)).toEqual([4, 4, 4, 4]);
  });
});

describe('the limit of a source address', () => {
  it('strangers get as many answers as are allowed, then silence, and the rest is counted', async () => {
    const answered: number[] = [];
    const handler: RequestHandler = (request) => {
      request.counted = { answered: (code) => void answered.push(code) };
      return { code: '4.01' };
    };
    const harness = new Harness(handler, { sourceReplies: 1 }, true);
    for (let i = 0; i < 15; i++) harness.another('10.3.0.1', 1000 + i).request({});
    await harness.clock.advance(10);
    expect([
      harness.metric('responses_total', { code: '4.01' }),
      harness.metric('dropped_total', { reason: 'source_replies' }),
    ]).toEqual([10, 5]);
    expect(answered).toHaveLength(10);
    const neighbour = harness.another('10.3.0.2');
    expect(kind(await ask(harness, {}, neighbour))).toBe('ACK 4.01');
  });

  it('pings, malformed messages and responses count as well', async () => {
    const harness = new Harness(forever, { sourceReplies: 1 }, true);
    for (let i = 0; i < 4; i++)
      for (const hex of ['40001234', '4f011234', '40451234']) harness.client.send(Buffer.from(hex, 'hex'));
    await harness.clock.advance(10);
    expect(harness.client.received).toHaveLength(10);
    expect(harness.metric('dropped_total', { reason: 'source_replies' })).toBe(2);
  });

  it('valid credentials pass all the same, the first time and ever after, also to be asked for a proof', async () => {
    const handler: RequestHandler = (request) => (request.proved ? { code: '2.01' } : PROVE_ADDRESS);
    for (const echo of [false, true]) {
      const harness = new Harness(
        withCredentials(handler, () => ({ code: '4.01' })),
        { sourceReplies: 1, echo },
        true,
      );
      for (let i = 0; i < 20; i++) harness.another('10.0.0.1', 1000 + i).request({});
      const answer = await ask(harness, { path: ['device'] });
      expect(kind(answer)).toBe(echo ? 'ACK 4.01' : 'ACK 2.01');
      if (!echo) continue;
      const value = optionBytes(answer, '252') ?? Buffer.alloc(0);
      expect(kind(await ask(harness, { path: ['device'], options: [{ name: '252', value }] }))).toBe('ACK 2.01');
    }
  });

  it('a device that guesses the credentials of others is limited like anybody', async () => {
    const harness = new Harness(
      withCredentials(
        () => ({ code: '2.01' }),
        () => ({ code: '4.01' }),
      ),
      { sourceReplies: 1 },
      true,
    );
    await ask(harness, { path: ['device'] });
    harness.client.take();
    for (let i = 0; i < 30; i++) harness.client.request({ path: ['guess'] });
    await harness.clock.advance(10);
    expect(harness.client.received).toHaveLength(10);
  });

  it('datagrams beyond TANDEM_COAP_SOURCE_DATAGRAMS are dropped and counted', async () => {
    const harness = new Harness(() => ({ code: '2.05' }), { sourceDatagrams: 1 });
    for (let i = 0; i < 15; i++) harness.client.request({});
    await harness.clock.advance(10);
    expect(harness.client.received).toHaveLength(10);
    expect(harness.metric('dropped_total', { reason: 'source_datagrams' })).toBe(5);
    expect(kind(await ask(harness, {}, harness.another()))).toBe('ACK 2.05');
    await harness.clock.advance(1_000);
    expect(kind(await ask(harness, {}))).toBe('ACK 2.05');
  });
});

describe('a flood of strangers takes nothing away from a device', () => {
  const SETTINGS = { maxPeers: 16, deduplicationBytes: 32 << 10, downloadBytes: 8 << 10, sourceReplies: 0 };

  it('its message is still known as a duplicate', async () => {
    let runs = 0;
    const harness = new Harness(
      withCredentials(
        () => ({ code: '2.01', payload: `${++runs}` }),
        () => ({ code: '4.01' }),
      ),
      SETTINGS,
      true,
    );
    const datagram = harness.client.request({ code: 'POST', path: ['device'] });
    await harness.clock.advance(10);
    const before = harness.metric('deduplication_bytes');
    await flood(harness, 3_000, { payload: 'x'.repeat(100) });
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(harness.client.received.map(({ payload }) => payload.toString())).toEqual(['1', '1']);
    expect(harness.metric('deduplication_bytes')).toBe(before);
  });

  it('the body it is reading by blocks is still the same', async () => {
    let runs = 0;
    const harness = new Harness(
      withCredentials(
        () => ({ code: '2.05', payload: `${++runs}`.padEnd(3_000, 'x') }),
        () => ({ code: '2.05', payload: LONG }),
      ),
      SETTINGS,
      true,
    );
    await ask(harness, { path: ['device'] });
    await flood(harness, 100, { block2: 6 });
    expect(kind(await ask(harness, { path: ['device'], block2: (1 << 4) | 6 }))).toBe('ACK 2.05');
    expect(runs).toBe(1);
  });

  it('its address stays proved', async () => {
    const harness = new Harness(
      withCredentials(
        (request) => (request.proved ? { code: '2.05', payload: LONG } : PROVE_ADDRESS),
        () => ({ code: '4.04' }),
      ),
      { ...SETTINGS, sourceReplies: 1, echo: true },
      true,
    );
    const value = optionBytes(await ask(harness, { path: ['device'] }), '252') ?? Buffer.alloc(0);
    await ask(harness, { path: ['device'], options: [{ name: '252', value }] });
    await flood(harness, 1_000, {});
    expect(harness.metric('peers')).toBeLessThanOrEqual(SETTINGS.maxPeers);
    expect(kind(await ask(harness, { path: ['device'] }))).toBe('ACK 2.05');
  });

  it('devices beyond TANDEM_COAP_MAX_PEERS: those not heard of for longest have to prove themselves again', async () => {
    const harness = new Harness((request) => (request.proved ? { code: '2.05' } : PROVE_ADDRESS), {
      ...SETTINGS,
      echo: true,
    });
    const prove = async (client: FakeClient) => {
      const value = optionBytes(await ask(harness, {}, client), '252') ?? Buffer.alloc(0);
      return kind(await ask(harness, { options: [{ name: '252', value }] }, client));
    };
    for (let i = 0; i < 100; i++) expect(await prove(harness.another('10.4.0.1', 1000 + i))).toBe('ACK 2.05');
    expect(harness.metric('peers')).toBeLessThanOrEqual(SETTINGS.maxPeers);
    expect(kind(await ask(harness, {}))).toBe('ACK 4.01');
  });
});

describe('requests under way', () => {
  const slowFor = (path: string, answers: ((response: CoapResponse) => void)[]): RequestHandler => {
    return (request) =>
      request.path[0] === path
        ? new Promise((resolve) => void answers.push(resolve))
        : Promise.resolve({ code: '2.05' });
  };

  it('one peer has no more than its share; the rest gets 5.03, and others are served', async () => {
    const harness = new Harness(slowFor('slow', []), { maxRunning: 100, maxRunningPerPeer: 3 });
    for (let i = 0; i < 10; i++) harness.client.request({ path: ['slow'] });
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(Array(7).fill('ACK 5.03'));
    expect(option(harness.client.last, 'Max-Age')).toBe(5);
    expect(harness.metric('running_exchanges')).toBe(3);
    expect(harness.metric('dropped_total', { reason: 'exchanges_of_peer' })).toBe(7);
    expect(kind(await ask(harness, {}, harness.another()))).toBe('ACK 2.05');
  });

  it('all peers together have no more than there are; there is room as soon as one is answered', async () => {
    const answers: ((response: CoapResponse) => void)[] = [];
    const harness = new Harness(slowFor('slow', answers), { maxRunning: 5 });
    await flood(harness, 50, { path: ['slow'] });
    expect(harness.metric('running_exchanges')).toBe(5);
    expect(harness.metric('dropped_total', { reason: 'exchanges' })).toBe(45);
    const refused = await ask(harness, {});
    expect([kind(refused), option(refused, 'Max-Age')]).toEqual(['ACK 5.03', 5]);
    answers[0]?.({ code: '2.05' });
    await harness.clock.advance(10);
    expect(kind(await ask(harness, {}))).toBe('ACK 2.05');
  });

  it('a request that was refused is run when it comes again', async () => {
    const answers: ((response: CoapResponse) => void)[] = [];
    const harness = new Harness(
      withCredentials(slowFor('device', answers), () => ({ code: '4.01' })),
      { maxRunningPerPeer: 1 },
      true,
    );
    harness.client.request({ path: ['device'] });
    const second = harness.client.request({ path: ['device'] });
    await harness.clock.advance(10);
    expect(harness.client.take().map(kind)).toEqual(['ACK 5.03']);
    answers[0]?.({ code: '2.05' });
    await harness.clock.advance(10);
    harness.client.send(second);
    await harness.clock.advance(10);
    expect(answers).toHaveLength(2);
  });

  it('a thousand requests that run into their time limit write one line of log', async () => {
    const harness = new Harness(forever, {}, true);
    await flood(harness, 1_000, {});
    await harness.clock.advance(70_000);
    expect(harness.log.filter(({ message }) => message.includes('time limit'))).toHaveLength(1);
  });
});

describe('a request of a stranger in blocks', () => {
  const block = (number: number, payload: string, more = true) => ({
    code: 'POST',
    path: ['up'],
    block1: (number << 4) | (more ? 8 : 0),
    payload,
  });

  it('is as long as all of its blocks: the answer is within three times of them', async () => {
    for (const [length, text] of [
      [96, 'x'.repeat(96)],
      [400, ''],
    ] as const) {
      const harness = new Harness(() => ({ code: '4.00', payload: 'x'.repeat(length) }), {}, true);
      let came = 0;
      for (const number of [0, 1, 2]) came += harness.client.request(block(number, 'y'.repeat(16))).length;
      came += harness.client.request(block(3, 'y', false)).length;
      await harness.clock.advance(10);
      expect(harness.client.last.payload.toString()).toBe(text);
      const sent = harness.client.raw.reduce((sum, datagram) => sum + datagram.length, 0);
      expect(sent).toBeLessThanOrEqual(3 * came);
      expect(harness.client.received.map(kind)).toEqual(['ACK 2.31', 'ACK 2.31', 'ACK 2.31', 'ACK 4.00']);
    }
  });

  it('takes nothing of the memory for devices, and ends with 4.13 and the size there may be', async () => {
    const harness = new Harness(() => ({ code: '2.04' }), { maxStrangerBody: 40 }, true);
    for (const number of [0, 1]) expect(kind(await ask(harness, block(number, 'y'.repeat(16))))).toBe('ACK 2.31');
    expect(harness.metric('upload_bytes')).toBe(0);
    expect(harness.metric('stranger_upload_bytes')).toBeGreaterThan(32);
    const refused = await ask(harness, block(2, 'y'.repeat(16)));
    expect([kind(refused), option(refused, 'Size1')]).toEqual(['ACK 4.13', 40]);
    expect(harness.metric('stranger_upload_bytes')).toBe(0);
  });

  it('that is not continued is forgotten', async () => {
    const harness = new Harness(() => ({ code: '2.04' }), { strangerBlockLifetime: 1_000 }, true);
    await ask(harness, block(0, 'y'.repeat(16)));
    await harness.clock.advance(1_500);
    expect(harness.metric('stranger_upload_bytes')).toBe(0);
    expect(kind(await ask(harness, block(1, 'y', false)))).toBe('ACK 4.08');
  });

  it('is not continued by a device, nor a body of a device by a stranger', async () => {
    const harness = new Harness(() => ({ code: '2.04' }), {}, true);
    await ask(harness, block(0, 'y'.repeat(16)));
    harness.strangers = false;
    expect(kind(await ask(harness, block(1, 'y', false)))).toBe('ACK 4.08');
    await ask(harness, block(0, 'z'.repeat(16)));
    harness.strangers = true;
    const answers = [await ask(harness, block(1, 'y', false)), await ask(harness, block(1, 'y', false))];
    expect(answers.map(kind)).toEqual(['ACK 2.04', 'ACK 4.08']);
  });
});

describe('memory for bodies', () => {
  const block = (number: number) => ({ code: 'POST', block1: (number << 4) | 8 | 6, payload: 'x'.repeat(1_024) });

  it('what all peers together may have is not exceeded; 5.03, and a body of one message is served', async () => {
    const harness = new Harness(() => ({ code: '2.04' }), { uploadBytes: 32 << 10, uploadBytesPerPeer: 8 << 10 });
    await flood(harness, 200, block(0));
    expect(harness.metric('upload_bytes')).toBeLessThanOrEqual(32 << 10);
    expect(harness.metric('upload_bytes')).toBeGreaterThan(16 << 10);
    expect(harness.metric('dropped_total', { reason: 'body_budget' })).toBeGreaterThan(150);
    const refused = await ask(harness, block(0));
    expect(kind(refused)).toBe('ACK 5.03');
    expect(option(refused, 'Max-Age')).toBeGreaterThan(0);
    expect(kind(await ask(harness, { code: 'POST', payload: 'short' }))).toBe('ACK 2.04');
  });

  it('one peer does not take the room of others', async () => {
    const harness = new Harness(() => ({ code: '2.04' }), { uploadBytes: 32 << 10, uploadBytesPerPeer: 8 << 10 });
    for (let i = 0; i < 100; i++) harness.client.request({ ...block(0), path: [`${i}`] });
    await harness.clock.advance(10);
    expect(harness.metric('upload_bytes')).toBeLessThanOrEqual(8 << 10);
    expect(harness.metric('dropped_total', { reason: 'body_peer_budget' })).toBeGreaterThan(90);
    expect(kind(harness.client.last)).toBe('ACK 5.03');
    expect(kind(await ask(harness, block(0), harness.another()))).toBe('ACK 2.31');
  });
});
