export { CoapEndpoint, type EndpointOptions } from './endpoint';
export type { Notification, ObservationEnd, ObservationHandle, ObservationSource } from './observation';
export type { Peer } from './peer';
export type { CoapRequest } from './request';
export type { RequestHandler } from './request-layer';
export type { CoapResponse } from './response';
export { type Bytes, DEFAULT_SETTINGS, type EndpointSettings } from './settings';
export {
  type DatagramReceiver,
  type Destination,
  openUdpSocket,
  type UdpSocket,
  type UdpSocketOptions,
} from './udp-socket';
