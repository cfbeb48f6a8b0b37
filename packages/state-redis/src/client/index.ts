export * from './commands';
export * from './connections';
export * from './failures';
export * from './misrouted';
export * from './scripts';
