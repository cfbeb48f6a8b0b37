import { statementsOf } from '../statement';
import { Harness, kind } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

/** Bytes out for bytes in, with an endpoint that has `payload` for everybody. */
async function amplification(
  payload: number,
  request: object,
): Promise<{ readonly sent: number; readonly got: number }> {
  const harness = new Harness(() => ({ code: '2.05', payload: 'x'.repeat(payload), contentFormat: 50 }), {}, true);
  harness.client.acknowledges = false;
  const sent = harness.client.request(request).length;
  await harness.clock.advance(300_000);
  return { sent, got: harness.client.raw.reduce((sum, datagram) => sum + datagram.length, 0) };
}

shows(
  '11.3',
  'SHOULD NOT',
  'nobody without valid credentials gets more than three times the bytes it sent',
  async () => {
    for (const confirmable of [true, false]) {
      for (const payload of [0, 20, 60, 1_000, 100_000]) {
        for (const path of [['a'], ['a'.repeat(100)]]) {
          const { sent, got } = await amplification(payload, { confirmable, path });
          expect(got).toBeGreaterThan(0);
          expect(got).toBeLessThanOrEqual(3 * sent);
        }
      }
    }
  },
);

shows(
  '11.3',
  'describes',
  'large answers are sent in blocks: one request never brings more than one of them',
  async () => {
    const harness = new Harness(() => ({ code: '2.05', payload: Buffer.alloc(50_000) }));
    harness.client.request({});
    await harness.clock.advance(100_000);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.05']);
    expect(harness.client.last.payload).toHaveLength(1_024);
  },
);

shows('11.3', 'describes', 'what is no message brings at most a Reset of four bytes', async () => {
  const harness = new Harness(() => ({ code: '2.05' }), {}, true);
  for (const bytes of [
    '',
    '40',
    '4001',
    '400112',
    '80010001',
    '40010001b5',
    '40010002f1',
    '40450003',
    '50010004f1',
    '60010005',
  ]) {
    const datagram = Buffer.from(bytes, 'hex');
    harness.client.send(datagram);
    await harness.clock.advance(10);
    const got = harness.client.raw.reduce((sum, reply) => sum + reply.length, 0);
    expect(got).toBeLessThanOrEqual(datagram.length);
    harness.client.take();
  }
});

shows(
  '11.1',
  'describes',
  'a datagram the parser cannot make sense of costs nothing but a number in the metrics',
  async () => {
    const harness = new Harness(() => ({ code: '2.05' }));
    harness.client.send(Buffer.from('50010001be00', 'hex'));
    harness.client.request({});
    await harness.clock.advance(10);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.05']);
    expect(harness.metric('dropped_total', { reason: 'truncated' })).toBe(1);
    expect(harness.log).toEqual([]);
  },
);

leaves(
  '11.4',
  'describes',
  'forged source addresses are made harder by tokens and message ids that cannot be guessed',
  "tokens are the client's; message ids start at random for each peer; credentials on plain UDP can be read by who listens",
);
