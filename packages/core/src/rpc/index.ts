export * from './client-rpc';
export * from './rpc-calls';
export * from './rpc-delivery';
export * from './rpc-hand-out';
