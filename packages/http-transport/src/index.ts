export * from './device-api';
export * from './http-server';
