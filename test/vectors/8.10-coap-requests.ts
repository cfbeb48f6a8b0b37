import { coap } from './framework/coap-vector';
import type { Vector } from './framework/vector';

/** Contract 8.10. */
export const COAP_REQUESTS: readonly Vector[] = [
  coap(
    '246',
    'POST /api/v1/tok1/telemetry',
    { payload: '{"a":1}' },
    { kind: 'ACK 2.01', text: '', stored: { tok1: ['a LONG 1'] } },
  ),
];
