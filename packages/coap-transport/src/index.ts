export {
  type ClientRequest,
  CoapClient,
  type CoapClientOptions,
  CoapFailure,
  type CoapReply,
  type Observation,
} from './client/index';
export { createCoapTransport } from './coap-transport';
export { createCoapsTransport } from './coaps-transport';
export { DeviceSide } from './device-side';
export { DtlsUnavailable, openSsl } from './dtls/openssl/library';
export { RECEIVE_BUFFER_BYTES } from './endpoint/index';
export type { ListedObservation } from './observations/listed-observation';
export { bindPortGroup, NoPortGroup, type PortGroup } from './port-group';
export type { CoapTransport } from './serve';
