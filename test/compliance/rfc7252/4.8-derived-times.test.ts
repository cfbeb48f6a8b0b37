import { transmissionTimes } from '../../../packages/coap-transport/src/endpoint/transmission-times';
import { statementsOf } from '../statement';
import { Harness } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

const DEFAULTS = { ackTimeout: 2_000, ackRandomFactor: 1.5, maxRetransmit: 4 };

shows(
  '4.8.2',
  'describes',
  'MAX_TRANSMIT_SPAN, EXCHANGE_LIFETIME and NON_LIFETIME are 45 s, 247 s and 145 s by default',
  () => {
    expect(transmissionTimes(DEFAULTS)).toEqual({
      maxTransmitSpan: 45_000,
      exchangeLifetime: 247_000,
      nonLifetime: 145_000,
    });
  },
);

shows('4.8.2', 'describes', 'they follow ACK_TIMEOUT and MAX_RETRANSMIT by the formulas of the RFC', () => {
  expect(transmissionTimes({ ...DEFAULTS, ackTimeout: 4_000, maxRetransmit: 3 })).toEqual({
    maxTransmitSpan: 42_000,
    exchangeLifetime: 246_000,
    nonLifetime: 142_000,
  });
  expect(transmissionTimes({ ...DEFAULTS, maxRetransmit: 0 }).exchangeLifetime).toBe(202_000);
});

shows(
  '4.8.2',
  'describes',
  'with waits longer than MAX_LATENCY nothing is forgotten before the last wait (MAX_TRANSMIT_WAIT) is over',
  () => {
    const { exchangeLifetime } = transmissionTimes({ ...DEFAULTS, ackTimeout: 30_000 });
    expect(exchangeLifetime).toBe(30_000 * 31 * 1.5);
  },
);

/** Whether a copy of a request is recognised after `age`. */
async function recognised(settings: object, confirmable: boolean, age: number): Promise<boolean> {
  const harness = new Harness(() => ({ code: '2.05' }), settings);
  const datagram = harness.client.request({ confirmable });
  await harness.clock.advance(age);
  harness.client.send(datagram);
  await harness.clock.advance(10);
  return harness.metric('duplicate_requests_total') === 1;
}

shows(
  '4.8.2',
  'describes',
  'requests are remembered for EXCHANGE_LIFETIME and NON_LIFETIME as the parameters are set',
  async () => {
    // MAX_TRANSMIT_SPAN is 90 s, so 294 s and 190 s.
    const settings = { ackTimeout: 4_000 };
    expect(await recognised(settings, true, 293_000)).toBe(true);
    expect(await recognised(settings, true, 297_000)).toBe(false);
    expect(await recognised(settings, false, 189_000)).toBe(true);
    expect(await recognised(settings, false, 193_000)).toBe(false);
  },
);

leaves(
  '4.8.1',
  'MUST NOT',
  'ACK_TIMEOUT is not decreased without a mechanism for congestion control',
  "TANDEM_COAP_ACK_TIMEOUT can be set lower than its default of 2 s, for networks of the deployer's own",
);

leaves(
  '4.8.1',
  'MUST',
  'parameters that lengthen the derived times are made known to the other endpoints',
  'CoAP has no means for it: whoever sets them sets them in the devices as well',
);
