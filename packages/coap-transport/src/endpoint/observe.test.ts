import { TandemError } from '@tandem/core';
import type { CoapRequest } from './request';
import type { EndpointSettings } from './settings';
import { type FakeClient, kind, option } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';

interface Observed {
  readonly harness: Harness;
  readonly client: FakeClient;
  readonly sources: FakeSource[];
  readonly requests: CoapRequest[];
  /** The newest source. */
  source(): FakeSource;
  register(confirmable?: boolean, token?: string, client?: FakeClient): Promise<void>;
}

function observed(settings: Partial<EndpointSettings> = {}): Observed {
  const sources: FakeSource[] = [];
  const requests: CoapRequest[] = [];
  const harness = new Harness((request) => {
    requests.push(request);
    if (request.observe !== 0 || !request.observable) return { code: '2.05', payload: 'plain' };
    const source = new FakeSource();
    sources.push(source);
    return { code: '2.05', payload: '{}', contentFormat: 50, observation: source };
  }, settings);
  const { client } = harness;
  return {
    harness,
    client,
    sources,
    requests,
    source: () => {
      const source = sources.at(-1);
      if (source === undefined) throw new Error('no registration has been accepted');
      return source;
    },
    register: async (confirmable = true, token = 'aa', who = client) => {
      who.request({ observe: 0, confirmable, token: Buffer.from(token, 'hex') });
      await harness.clock.advance(10);
    },
  };
}

/** `['CON 2.05 #1 {"x":1}']` */
const told = (client: FakeClient) =>
  client.take().map((packet) => {
    const number = option(packet, 'Observe');
    return `${kind(packet)}${number === undefined ? '' : ` #${number}`}${packet.payload.length > 0 ? ` ${packet.payload}` : ''}`;
  });

describe('registration (RFC 7641 section 3.1, contract 2.6.1)', () => {
  it('TV-287, 289: the first response has Observe 0, and the next message Observe 1, both with the token', async () => {
    const { harness, client, source, register } = observed();
    await register();
    expect(client.received.map((packet) => packet.token.toString('hex'))).toEqual(['aa']);
    expect(told(client)).toEqual(['ACK 2.05 #0 {}']);
    source().notify('{"x":1}');
    await harness.clock.advance(10);
    expect(option(client.last, 'Content-Format')).toBe(50);
    expect(client.last.token.toString('hex')).toBe('aa');
    expect(told(client)).toEqual(['CON 2.05 #1 {"x":1}']);
  });

  it('TV-294: what is pending is delivered right after the response', async () => {
    const pending = new FakeSource();
    pending.notify('rpc 0');
    pending.notify('rpc 1');
    const harness = new Harness(() => ({ code: '2.03', observation: pending }));
    harness.client.request({ observe: 0 });
    await harness.clock.advance(50);
    expect(told(harness.client)).toEqual(['ACK 2.03 #0', 'CON 2.05 #1 rpc 0', 'CON 2.05 #2 rpc 1']);
  });

  it('TV-291: a NON registration gets NON notifications with message ids of their own', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    source().notify('1');
    source().notify('2');
    await harness.clock.advance(10);
    expect(new Set(client.received.map((packet) => packet.messageId)).size).toBe(3);
    expect(told(client)).toEqual(['NON 2.05 #0 {}', 'NON 2.05 #1 1', 'NON 2.05 #2 2']);
    expect(source().events).toEqual(['sent 1', 'delivered 1', 'sent 2', 'delivered 2']);
  });

  it('TV-296: the same endpoint and token again is one relation, and the number goes on', async () => {
    const { harness, client, sources, register } = observed();
    await register();
    sources[0]?.notify('1');
    await harness.clock.advance(10);
    await register();
    expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'CON 2.05 #1 1', 'ACK 2.05 #2 {}']);
    expect(sources.map((source) => source.ends)).toEqual([['replaced'], []]);
    expect(harness.metric('observations')).toBe(1);
    sources[0]?.notify('old');
    sources[1]?.notify('new');
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['CON 2.05 #3 new']);
  });

  it('TV-303: two tokens of one peer are two independent relations', async () => {
    const { harness, client, sources, register } = observed();
    await register(true, 'aa');
    await register(true, 'bb');
    client.take();
    sources[0]?.notify('to aa');
    sources[1]?.notify('to bb');
    await harness.clock.advance(100);
    expect(client.received.map((packet) => `${packet.token.toString('hex')} ${packet.payload}`)).toEqual([
      'aa to aa',
      'bb to bb',
    ]);
    expect(told(client)).toEqual(['CON 2.05 #1 to aa', 'CON 2.05 #1 to bb']);
  });

  it('TV-305: a handler that does not accept answers without Observe', async () => {
    const harness = new Harness(() => ({ code: '4.01', observation: undefined }));
    harness.client.request({ observe: 0 });
    await harness.clock.advance(10);
    expect(told(harness.client)).toEqual(['ACK 4.01']);
  });

  it('an observation offered with an error, or to a request that asked for none, is closed as refused', async () => {
    for (const [observe, code] of [
      [0, '4.04'],
      [undefined, '2.05'],
      [1, '2.05'],
    ] as const) {
      const source = new FakeSource();
      const harness = new Harness(() => ({ code, observation: source }));
      harness.client.request({ observe });
      await harness.clock.advance(10);
      expect([told(harness.client), source.ends]).toEqual([[`ACK ${code}`], ['refused']]);
    }
  });

  it('a registration that is refused when repeated ends the relation', async () => {
    let accept = true;
    const source = new FakeSource();
    const harness = new Harness(() => (accept ? { code: '2.05', observation: source } : { code: '4.01' }));
    harness.client.request({ observe: 0 });
    await harness.clock.advance(10);
    accept = false;
    harness.client.request({ observe: 0 });
    await harness.clock.advance(10);
    expect([source.ends, harness.metric('observations')]).toEqual([['replaced'], 0]);
  });

  it('beyond the limits the handler is told, of one peer and of all', async () => {
    const { harness, client, requests, register } = observed({ maxObservations: 3, maxObservationsPerPeer: 2 });
    for (const token of ['01', '02', '03']) await register(true, token);
    expect(requests.map((request) => request.observable)).toEqual([true, true, false]);
    expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'ACK 2.05 #0 {}', 'ACK 2.05 plain']);
    const other = harness.another();
    await register(true, '01', other);
    await register(true, '02', other);
    expect(requests.slice(3).map((request) => request.observable)).toEqual([true, false]);
    await register(true, '01', other);
    expect(told(other).at(-1)).toBe('ACK 2.05 #1 {}');
  });

  it('TV-301 for a late registration: its separate response counts as the first message of the relation', async () => {
    const source = new FakeSource();
    const harness: Harness = new Harness(
      () =>
        new Promise((resolve) => harness.clock.setTimer(1_000, () => resolve({ code: '2.05', observation: source }))),
    );
    harness.client.acknowledges = false;
    harness.client.request({ observe: 0 });
    await harness.clock.advance(1_100);
    source.notify('waits');
    await harness.clock.advance(1_000);
    expect(told(harness.client)).toEqual(['ACK 0.00', 'CON 2.05 #0']);
    await harness.clock.advance(100_000);
    expect(source.ends).toEqual(['timeout']);
  });
});

describe('notifications (RFC 7641 section 4.5, contract 2.6.2)', () => {
  it('while one is unacknowledged the source is not asked, so what follows can be merged', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.acknowledges = false;
    client.take();
    source().notify('first');
    await harness.clock.advance(10);
    const pulls = source().pulls;
    source().notify('second');
    source().notify('third');
    await harness.clock.advance(1_000);
    expect(source().pulls).toBe(pulls);
    source().pending.splice(0);
    source().notify('second and third');
    client.acknowledge(client.last);
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['CON 2.05 #1 first', 'CON 2.05 #2 second and third']);
  });

  it('a repetition is the same message: same id, same number', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.acknowledges = false;
    client.take();
    source().notify('once');
    await harness.clock.advance(20_000);
    expect(client.raw.length).toBeGreaterThan(2);
    expect(new Set(client.raw.map((datagram) => datagram.toString('hex'))).size).toBe(1);
    expect(source().events).toEqual(['sent once']);
  });

  it('a source may answer late and by promise', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    let give = (_payload: string) => {};
    const slow = source();
    slow.next = () =>
      new Promise((resolve) => {
        give = (payload) => resolve({ code: '2.05', payload });
        slow.next = () => undefined;
      });
    slow.relation?.ready();
    await harness.clock.advance(5_000);
    expect(client.received).toEqual([]);
    give('at last');
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['CON 2.05 #1 at last']);
  });

  it('a source that fails is asked again after 5 s', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    const failing = source();
    const next = failing.next.bind(failing);
    failing.next = () => Promise.reject(new Error('store away'));
    failing.notify('kept');
    await harness.clock.advance(4_000);
    failing.next = next;
    expect(client.received).toEqual([]);
    await harness.clock.advance(1_100);
    expect(told(client)).toEqual(['CON 2.05 #1 kept']);
  });

  it('a store that is away is one short line in 10 s, that names whose observation it is and counts the others', async () => {
    const { harness, source, register } = observed();
    for (const token of ['aa', 'bb']) {
      await register(true, token);
      Object.assign(source(), { about: { deviceId: `device ${token}` } });
      source().next = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));
      source().relation?.ready();
      await harness.clock.advance(10);
    }
    const line = { level: 'warn', message: 'an observation could not be continued yet' };
    const fields = { deviceId: 'device aa', peer: expect.any(String), error: 'The store does not answer' };
    expect(harness.log).toEqual([{ ...line, fields }]);
    await harness.clock.advance(9_000);
    expect(harness.log).toHaveLength(1);
    await harness.clock.advance(2_000);
    expect(harness.log).toHaveLength(2);
    expect(harness.log[1]).toEqual({ ...line, fields: { ...fields, suppressed: 3 } });
  });

  it('a notification with no CoAP code is logged, and the next one is sent', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.take();
    const { next } = source();
    source().next = async () => source().pending.shift();
    source().notify('bad', { code: 'OK' });
    await harness.clock.advance(100);
    expect(harness.log.map((line) => line.level)).toEqual(['warn']);
    source().next = next;
    source().notify('good');
    await harness.clock.advance(100);
    expect(client.received.map((packet) => `${packet.payload}`)).toEqual(['good']);
  });

  it('TV-304: without an ACK in time the notification lapses once, and a later ACK still counts', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.acknowledges = false;
    source().notify('rpc', { ackTimeout: 10_000 });
    await harness.clock.advance(9_900);
    expect(source().events).toEqual(['sent rpc']);
    await harness.clock.advance(20_000);
    expect(source().events).toEqual(['sent rpc', 'lapsed rpc']);
    client.acknowledge(client.last);
    await harness.clock.advance(10);
    expect(source().events).toEqual(['sent rpc', 'lapsed rpc', 'delivered rpc']);
    await harness.clock.advance(100_000);
    expect(source().events).toHaveLength(3);
  });

  it('a NON observer gets a CON at least every 24 hours, and is gone when it does not acknowledge it', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    client.acknowledges = false;
    client.take();
    source().notify('1');
    await harness.clock.advance(24 * 3_600_000);
    source().notify('2');
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['NON 2.05 #1 1', 'CON 2.05 #2 2']);
    await harness.clock.advance(100_000);
    expect(source().ends).toEqual(['timeout']);
  });

  it('the number wraps at 24 bits', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    (source().relation as unknown as { number: number }).number = 0xfffffe;
    client.take();
    for (const payload of ['a', 'b', 'c']) source().notify(payload);
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['NON 2.05 #16777215 a', 'NON 2.05 #0 b', 'NON 2.05 #1 c']);
  });

  it('a NON observer whose message ids are used up gets the next one as a CON when an id is free', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    client.take();
    let count = 0;
    while (harness.metric('dropped_no_message_id_total') === 0) {
      for (let i = 0; i < 20; i++) source().notify(`${count++}`);
      await harness.clock.advance(2);
      client.raw.length = 0;
    }
    expect(count).toBeGreaterThan(57_000);
    await harness.clock.advance(300_000);
    expect(client.received.map((packet) => `${packet.payload}`)).toEqual(
      Array.from({ length: count }, (_, i) => `${i}`),
    );
    expect(client.received.filter((packet) => packet.confirmable)).toHaveLength(1);
  });

  it('at most 25 notifications leave in one turn of the event loop', async () => {
    const { harness, sources, register } = observed();
    for (let i = 0; i < 60; i++) await register(false, 'aa', harness.another('10.0.4.1', 3000 + i));
    const before = harness.network.datagrams;
    for (const source of sources) source.notify('x');
    const sent: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await harness.clock.turn();
      sent.push(harness.network.datagrams - before);
    }
    expect(sent).toEqual([25, 50, 60]);
  });

  it('one that is longer than a block begins with its first block; the rest is fetched by GET', async () => {
    const { harness, client, source, register } = observed();
    await register();
    const long = Array.from({ length: 1500 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    source().notify(long);
    await harness.clock.advance(10);
    const first = client.last;
    expect([first.payload.length, option(first, 'Block2'), option(first, 'Size2')]).toEqual([1024, 0x0e, 1500]);
    client.request({ token: Buffer.from('bb', 'hex'), block2: 0x16 });
    await harness.clock.advance(10);
    expect(option(client.last, 'Observe')).toBeUndefined();
    expect(`${first.payload}${client.last.payload}`).toBe(long);
  });
});

describe('the end of an observation (RFC 7641 section 3.6, contract 2.6.3)', () => {
  it('TV-298: Observe 1 with the token of the relation: 2.02 without Observe and no later notification', async () => {
    const { harness, client, source, requests, register } = observed();
    await register();
    client.take();
    client.request({ observe: 1, token: Buffer.from('aa', 'hex') });
    await harness.clock.advance(10);
    source().notify('unheard');
    await harness.clock.advance(100);
    expect(told(client)).toEqual(['ACK 2.02']);
    expect([source().ends, requests.length]).toEqual([['deregistered'], 1]);
  });

  it('TV-299: Observe 1 with a token never registered is a plain GET', async () => {
    const { harness, client, requests } = observed();
    client.request({ observe: 1 });
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['ACK 2.05 plain']);
    expect(requests[0]?.observe).toBe(1);
  });

  it.each([true, false])('TV-300: a Reset in answer to a notification ends it (CON: %s)', async (confirmable) => {
    const { harness, client, source, register } = observed();
    await register(confirmable);
    client.acknowledges = false;
    source().notify('1');
    await harness.clock.advance(10);
    client.reset(client.last);
    await harness.clock.advance(10);
    client.take();
    source().notify('2');
    await harness.clock.advance(10_000);
    expect(client.received).toEqual([]);
    expect([source().ends, harness.metric('observations')]).toEqual([['reset'], 0]);
  });

  it('TV-301: 5 transmissions in all, then every observation of that endpoint is gone, and of no other', async () => {
    const { harness, client, sources, register } = observed();
    await register(true, 'aa');
    await register(false, 'bb');
    const other = harness.another();
    await register(true, 'aa', other);
    client.acknowledges = false;
    client.take();
    sources[0]?.notify('1');
    await harness.clock.advance(61_000);
    expect(client.received).toHaveLength(5);
    expect(sources[0]?.ends).toEqual([]);
    await harness.clock.advance(40_000);
    expect(client.received).toHaveLength(5);
    expect(sources.map((source) => source.ends)).toEqual([['timeout'], ['timeout'], []]);
  });

  it.each([
    [true, 'CON 2.02'],
    [false, 'NON 2.02'],
  ])('TV-302: the server ends it by a final 2.02 without Observe (CON: %s)', async (confirmable, final) => {
    const { harness, client, source, register } = observed();
    await register(confirmable);
    client.take();
    source().relation?.end({ code: '2.02' });
    source().notify('too late');
    await harness.clock.advance(100_000);
    expect(told(client)).toEqual([final]);
    expect(source().ends).toEqual(['ended']);
  });

  it('the final message takes the place of one that is still being repeated', async () => {
    const { harness, client, source, register } = observed();
    await register();
    client.acknowledges = false;
    source().notify('1');
    await harness.clock.advance(10);
    client.take();
    source().relation?.end({ code: '2.02' });
    await harness.clock.advance(10);
    client.acknowledge(client.last);
    await harness.clock.advance(100_000);
    expect(told(client)).toEqual(['CON 2.02']);
  });

  it('a device that comes back from another port is a new relation, and the old one times out', async () => {
    const { harness, client, sources, register } = observed();
    await register();
    client.socket.move('10.0.0.1', 50_123);
    await register();
    sources[0]?.notify('to the old port');
    sources[1]?.notify('to the new port');
    await harness.clock.advance(100_000);
    expect(told(client)).toEqual(['ACK 2.05 #0 {}', 'ACK 2.05 #0 {}', 'CON 2.05 #1 to the new port']);
    expect(sources.map((source) => source.ends)).toEqual([['timeout'], []]);
  });

  it('final messages to a peer that acknowledges nothing do not pile up', async () => {
    const { harness, client, sources, register } = observed({ maxQueuedPerPeer: 4 });
    client.acknowledges = false;
    for (let i = 0; i < 20; i++) {
      await register(true, `0${i.toString(16)}`.slice(-2));
      sources.at(-1)?.relation?.end({ code: '2.02' });
    }
    expect(harness.metric('dropped_queue_full_total')).toBe(15);
    expect(harness.metric('observations')).toBe(0);
  });

  it('a source that throws takes neither the endpoint nor another observer with it', async () => {
    const { harness, client, sources, register } = observed();
    await register(true, 'aa');
    await register(true, 'bb');
    client.take();
    const [bad, good] = sources;
    if (bad === undefined || good === undefined) throw new Error('two registrations');
    bad.next = () => {
      throw new Error('broken');
    };
    bad.closed = () => {
      throw new Error('broken');
    };
    bad.relation?.ready();
    good.notify('fine');
    await harness.clock.advance(10);
    bad.relation?.end();
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['CON 2.05 #1 fine']);
    expect(harness.metric('observations')).toBe(1);
  });

  it('every acknowledged change arrives in order over a bad network', async () => {
    const { harness, client, source, register } = observed();
    await register();
    harness.network.conditions = { loss: 0.25, duplication: 0.2, delay: 30, jitter: 300 };
    for (let i = 0; i < 30; i++) source().notify(`${i}`);
    await harness.clock.advance(600_000);
    const delivered = source().events.filter((event) => event.startsWith('delivered'));
    expect(delivered).toEqual(Array.from({ length: 30 }, (_, i) => `delivered ${i}`));
    const fresh = new Map(client.received.filter((packet) => packet.confirmable).map((p) => [p.messageId, p]));
    expect([...fresh.values()].map((packet) => `${packet.payload}`)).toEqual(
      Array.from({ length: 30 }, (_, i) => `${i}`),
    );
  });
});
