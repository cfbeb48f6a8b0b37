export type { BodySource } from './block2-source';
export type { RequestHandler } from './blockwise';
export { dottedCode } from './codes';
export { CoapEndpoint, type EndpointOptions } from './endpoint';
export type {
  Notification,
  ObservationEnd,
  ObservationHandle,
  ObservationInfo,
  ObservationSource,
} from './observation';
export type { Peer } from './peer';
export type { CoapRequest } from './request';
export { type CoapResponse, PROVE_ADDRESS } from './response';
export { type Bytes, DEFAULT_SETTINGS, type EndpointSettings } from './settings';
export { isNobody, SourceLimit, sourceOf } from './sources';
export {
  type DatagramReceiver,
  type Destination,
  openUdpSocket,
  RECEIVE_BUFFER_BYTES,
  type SecuritySession,
  type UdpSocket,
  type UdpSocketOptions,
} from './udp-socket';
