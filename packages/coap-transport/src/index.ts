export { createCoapTransport } from './coap-transport';
export { createCoapsTransport } from './coaps-transport';
export { DeviceSide } from './device-side';
export { DtlsUnavailable } from './dtls/openssl/library';
export type { ListedObservation } from './listed-observation';
export type { CoapTransport } from './serve';
