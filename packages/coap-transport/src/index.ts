export { type CoapTransport, createCoapTransport } from './coap-transport';
export type { ListedObservation } from './listed-observation';
