import { TandemError } from '@tandem/core';
import { option } from './testing/fake-client';
import { observed, told } from './testing/observed';

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

  it('the number wraps at 24 bits', async () => {
    const { harness, client, source, register } = observed();
    await register(false);
    (source().relation as unknown as { number: number }).number = 0xfffffe;
    client.take();
    for (const payload of ['a', 'b', 'c']) source().notify(payload);
    await harness.clock.advance(10);
    expect(told(client)).toEqual(['NON 2.05 #16777215 a', 'NON 2.05 #0 b', 'NON 2.05 #1 c']);
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
