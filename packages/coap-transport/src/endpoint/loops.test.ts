import { MetricsRegistry, silentLogger } from '@tandem/core';
import { CoapEndpoint } from './endpoint';
import { kind } from './testing/fake-client';
import { FakeRandom } from './testing/fake-random';
import { Harness } from './testing/harness';

describe('addresses that nobody answers from', () => {
  it.each([
    ['its own', '10.0.0.254', 5683, 'source_self'],
    ['port 0', '10.0.0.1', 0, 'source_port_zero'],
    ['a multicast group', '224.0.1.187', 5683, 'source_nobody'],
    ['everybody', '255.255.255.255', 5683, 'source_nobody'],
    ['an IPv6 multicast group', 'ff02::fd', 5683, 'source_nobody'],
  ] as const)('a datagram from %s is dropped and counted', async (_what, address, port, reason) => {
    const harness = new Harness(() => ({ code: '2.05' }));
    const { datagrams } = harness.network;
    const from = { address, port, session: undefined };
    for (const hex of ['40011234', '40001234', '40451234', '4f011234']) {
      harness.network.carry(Buffer.from(hex, 'hex'), from, { ...harness.endpoint.local, session: undefined });
    }
    await harness.clock.advance(1_000);
    expect(harness.network.datagrams - datagrams).toBe(4);
    expect(harness.metric('dropped_total', { reason })).toBe(4);
    harness.client.request({});
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.05']);
  });

  it('two servers that are made to talk to each other stop at once', async () => {
    const harness = new Harness(() => ({ code: '2.05', payload: 'to the other' }));
    const socket = harness.network.bind('10.0.0.253', 5683);
    new CoapEndpoint({
      socket,
      handler: (request) => {
        request.authenticate('device');
        return Promise.resolve({ code: '2.05' });
      },
      clock: harness.clock,
      random: new FakeRandom(3),
      logger: silentLogger,
      metrics: new MetricsRegistry(),
      soon: harness.clock.soon,
    });
    const one = { ...harness.endpoint.local, session: undefined };
    const two = { address: '10.0.0.253', port: 5683, session: undefined };
    const random = new FakeRandom(17);
    for (let i = 0; i < 2_000; i++) {
      const datagram = random.bytes(4 + random.integer(12));
      datagram[0] = 0x40 | (random.integer(4) << 4) | random.integer(3);
      const before = harness.network.datagrams;
      harness.network.carry(datagram, two, one);
      await harness.clock.advance(10);
      // The datagram, an answer or a Reset to it, and a Reset to that.
      expect(harness.network.datagrams - before).toBeLessThanOrEqual(3);
    }
  });
});
