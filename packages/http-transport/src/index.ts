export { ClientCertificates } from './client-certificates';
export * from './connections/http-limits';
export * from './device-api';
export * from './http-server';
