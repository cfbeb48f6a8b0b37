export type { ClientRequest, CoapReply } from './client-message';
export { CoapClient, type CoapClientOptions, CoapFailure, type Observation } from './coap-client';
