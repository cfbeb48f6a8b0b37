import { HTTP_BASICS } from './8.1-http-basics';
import { JSON_SHAPES } from './8.2-json-shapes';
import { LENIENT_READING } from './8.3-lenient-reading';
import { VALUE_TYPING } from './8.4-value-typing';
import { HTTP_ATTRIBUTES } from './8.5-http-attributes';
import { UPDATE_POLLS } from './8.6-update-polls';
import { HTTP_RPC } from './8.7-http-rpc';
import { HTTP_PROVISIONING } from './8.8-http-provisioning';
import { CLAIMING } from './8.9-claiming';
import { COAP_REQUESTS } from './8.10-coap-requests';
import { COAP_PROVISIONING } from './8.11-coap-provisioning';
import { COAP_OBSERVE } from './8.12-coap-observe';
import { DTLS } from './8.13-dtls';
import { PROTOBUF } from './8.14-protobuf';
import { OTA_COAP, OTA_HTTP } from './8.15-ota';
import type { Door } from './framework/stores';
import type { Vector } from './framework/vector';

interface VectorFile {
  /** The door that is in a process of its own where there are two, so that events have to cross. */
  readonly apart: Door;
  readonly vectors: readonly Vector[];
}

/** Which vectors a test file runs, of which there is one for each store. Few: each starts gateways of its own. */
export const FILES = {
  payloads: {
    apart: 'coap',
    vectors: [...HTTP_BASICS, ...JSON_SHAPES, ...LENIENT_READING, ...VALUE_TYPING, ...HTTP_ATTRIBUTES],
  },
  http: { apart: 'http', vectors: [...UPDATE_POLLS, ...HTTP_RPC, ...HTTP_PROVISIONING, ...CLAIMING, ...OTA_HTTP] },
  coap: {
    apart: 'coap',
    vectors: [...COAP_REQUESTS, ...COAP_PROVISIONING, ...COAP_OBSERVE, ...DTLS, ...PROTOBUF, ...OTA_COAP],
  },
} as const satisfies Record<string, VectorFile>;
