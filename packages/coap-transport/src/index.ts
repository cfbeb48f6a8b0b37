export { type CoapTransport, createCoapTransport } from './coap-transport';
