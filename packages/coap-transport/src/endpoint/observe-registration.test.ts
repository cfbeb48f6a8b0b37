import { option } from './testing/fake-client';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';
import { observed, told } from './testing/observed';

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
