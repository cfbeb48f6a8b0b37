export { ClientCertificates } from './client-certificates';
export * from './device-api';
export * from './http-limits';
export * from './http-server';
