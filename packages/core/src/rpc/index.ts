export * from './client-rpc';
export * from './finished-rpcs';
export * from './rpc-calls';
export * from './rpc-delivery';
export * from './rpc-hand-out';
export * from './submit-strategy';
