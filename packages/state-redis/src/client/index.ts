export * from './commands';
export * from './connections';
export * from './failures';
export { Frame } from './framed-command';
export * from './misrouted';
export * from './scripts';
