import { kind } from './testing/fake-client';
import { observed, told } from './testing/observed';

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

  it('final messages to a peer that acknowledges nothing do not pile up: without room to wait one leaves once', async () => {
    const { harness, client, sources, register } = observed({ maxQueuedPerPeer: 4 });
    client.acknowledges = false;
    for (let i = 0; i < 20; i++) {
      await register(true, `0${i.toString(16)}`.slice(-2));
      sources.at(-1)?.relation?.end({ code: '2.02' });
    }
    await harness.clock.advance(10);
    const finals = client.received.filter((packet) => kind(packet) === 'CON 2.02');
    expect(finals).toHaveLength(16);
    await harness.clock.advance(600_000);
    expect(harness.metric('dropped_total', { reason: 'peer_gone' })).toBe(4);
    expect(harness.metric('observations')).toBe(0);
  });

  it('final messages to many addresses that acknowledge nothing have a bound in all: beyond it each leaves once', async () => {
    const { harness, sources, register } = observed({ maxUnacknowledged: 3 });
    const peers = Array.from({ length: 10 }, (_, i) => harness.another('10.0.0.7', 50_000 + i));
    for (const peer of peers) {
      peer.acknowledges = false;
      await register(true, 'aa', peer);
      sources.at(-1)?.relation?.end({ code: '2.02' });
    }
    expect(harness.metric('unacknowledged')).toBe(3);
    await harness.clock.advance(100_000);
    const counts = peers.map(({ received }) => received.filter((packet) => kind(packet) === 'CON 2.02').length);
    expect(counts).toEqual([5, 5, 5, 1, 1, 1, 1, 1, 1, 1]);
    expect(harness.metric('unacknowledged')).toBe(0);
  });

  it('Observe 1 ends it also with other options than it was registered with, path and query apart', async () => {
    const { harness, client, register } = observed();
    await register();
    const accept = { name: 'Accept', value: Buffer.from([50]) };
    client.request({ observe: 1, token: Buffer.from('aa', 'hex'), query: ['other'], options: [accept] });
    await harness.clock.advance(10);
    expect(harness.metric('observations')).toBe(1);
    client.request({ observe: 1, token: Buffer.from('aa', 'hex'), options: [accept] });
    await harness.clock.advance(10);
    expect(kind(client.last)).toBe('ACK 2.02');
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
