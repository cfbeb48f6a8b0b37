import type { CoapResponse } from './response';
import { FakeClient, kind, option } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';

const forever = () => new Promise<CoapResponse>(() => {});

describe('closing an endpoint', () => {
  it('gracefully: what runs is answered 5.03, piggybacked, separate or NON, once', async () => {
    const harness = new Harness(forever);
    const clients = [harness.client, harness.another('10.0.0.2'), harness.another('10.0.0.3')];
    for (const client of clients) client.acknowledges = false;
    clients[0]?.request({});
    await harness.clock.advance(1_000);
    clients[1]?.request({});
    clients[2]?.request({ confirmable: false });
    await harness.clock.advance(10);
    const closed = harness.endpoint.close({ graceful: true });
    await harness.clock.advance(100_000);
    await closed;
    expect(clients.map((client) => client.received.map(kind))).toEqual([
      ['ACK 0.00', 'CON 5.03'],
      ['ACK 5.03'],
      ['NON 5.03'],
    ]);
    expect(clients.map((client) => option(client.last, 'Max-Age'))).toEqual([5, 5, 5]);
    expect(harness.clock.timers).toBe(0);
  });

  it('gracefully: each observer gets one final 5.03 without Observe in the type of its registration', async () => {
    const sources: FakeSource[] = [];
    const harness = new Harness(() => {
      const observation = new FakeSource();
      sources.push(observation);
      return { code: '2.05', observation };
    });
    const clients = Array.from({ length: 60 }, (_, i) => harness.another('10.0.0.5', 1000 + i));
    for (const [i, client] of clients.entries()) {
      client.acknowledges = false;
      client.request({ observe: 0, confirmable: i % 2 === 0 });
    }
    await harness.clock.advance(10);
    sources[0]?.notify('is being repeated');
    await harness.clock.advance(10);
    for (const client of clients) client.take();
    const closed = harness.endpoint.close({ graceful: true });
    await harness.clock.advance(100_000);
    await closed;
    expect(clients.map((client) => client.received.map(kind).join())).toEqual(
      clients.map((_, i) => (i % 2 === 0 ? 'CON 5.03' : 'NON 5.03')),
    );
    expect(clients.map((client) => option(client.last, 'Observe'))).toEqual(clients.map(() => undefined));
    expect(sources.map((source) => source.ends)).toEqual(sources.map(() => ['shutdown']));
  });

  it('at once: nothing is sent, sources are closed', async () => {
    const source = new FakeSource();
    const harness = new Harness((request) =>
      request.observe === 0 ? { code: '2.05', observation: source } : forever(),
    );
    harness.client.request({ observe: 0 });
    await harness.clock.advance(10);
    harness.client.take();
    harness.client.request({});
    await harness.clock.advance(10);
    await harness.endpoint.close({ graceful: false });
    await harness.clock.advance(100_000);
    expect([harness.client.received, source.ends]).toEqual([[], ['shutdown']]);
  });

  it('a registration whose handler ends after the closing comes to nothing', async () => {
    const source = new FakeSource();
    let finish = () => {};
    const harness = new Harness(
      () =>
        new Promise((resolve) => {
          finish = () => resolve({ code: '2.05', observation: source });
        }),
    );
    harness.client.request({ observe: 0 });
    await harness.clock.advance(10);
    const closed = harness.endpoint.close({ graceful: true });
    await harness.clock.advance(10);
    await closed;
    finish();
    await harness.clock.advance(10);
    expect(source.ends).toEqual(['refused']);
  });

  it('closing twice is closing once', async () => {
    const harness = new Harness(forever);
    const first = harness.endpoint.close();
    const second = harness.endpoint.close();
    await harness.clock.advance(10);
    await Promise.all([first, second]);
    expect(second).toBe(first);
  });
});

describe('what an endpoint keeps', () => {
  it('a stranger leaves nothing behind but a bounded trace', async () => {
    const harness = new Harness(() => ({ code: '4.01' }), { maxPeers: 1000, deduplicationBytes: 64 << 10 });
    for (let i = 0; i < 5_000; i++) {
      const stranger = new FakeClient(harness.network, harness.endpoint.local, `10.1.${i >> 8}.${i & 255}`);
      stranger.request({ observe: 0, code: i % 2 === 0 ? 'GET' : 'POST' });
      if (i % 100 === 99) await harness.clock.advance(10);
    }
    await harness.clock.advance(10);
    expect(harness.metric('received_requests_total')).toBe(5_000);
    expect(harness.metric('peers')).toBeLessThanOrEqual(1000);
    expect(harness.metric('deduplication_bytes')).toBeLessThanOrEqual(64 << 10);
    expect([harness.metric('observations'), harness.metric('running_exchanges')]).toEqual([0, 0]);
  });

  it('an observer is not forgotten however many strangers come by', async () => {
    const source = new FakeSource();
    const harness = new Harness(
      (request) => (request.observe === 0 ? { code: '2.05', observation: source } : { code: '4.01' }),
      { maxPeers: 20 },
    );
    harness.client.request({ observe: 0 });
    for (let i = 0; i < 200; i++) harness.another('10.2.0.1', 1000 + i).request({});
    await harness.clock.advance(10);
    harness.client.take();
    source.notify('still there');
    await harness.clock.advance(10);
    expect(source.events).toEqual(['sent still there', 'delivered still there']);
    harness.client.request({ observe: 1 });
    await harness.clock.advance(10);
    expect(source.ends).toEqual(['deregistered']);
  });

  it('counts requests, responses by code, duplicates and what runs', async () => {
    const answers: (CoapResponse | Promise<CoapResponse>)[] = [{ code: '2.05' }, { code: '4.04' }, forever()];
    const harness = new Harness(() => answers.shift() ?? { code: '5.00' });
    const first = harness.client.request({});
    for (let i = 0; i < 3; i++) harness.client.request({});
    harness.client.send(first);
    await harness.clock.advance(10);
    expect(harness.metric('received_requests_total')).toBe(4);
    const codes = ['2.05', '4.04', '5.00'] as const;
    expect(codes.map((code) => harness.metric('responses_total', { code }))).toEqual([1, 1, 1]);
    expect(harness.metric('responses_total')).toBe(3);
    expect(harness.metric('duplicate_requests_total')).toBe(1);
    expect(harness.metric('running_exchanges')).toBe(1);
    expect(harness.metric('datagrams_total')).toBe(5);
  });

  it('a new security session on the same address and port is another endpoint (RFC 7252 section 9.1)', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
    const datagram = harness.client.request({});
    await harness.clock.advance(10);
    const session = {};
    harness.client.socket.session = session;
    harness.client.send(datagram);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(harness.client.received.map((packet) => packet.payload.toString())).toEqual(['1', '2', '2']);
  });
});
