export * from './codec-format';
export * from './codec-formats';
export * from './device-message';
export * from './formats';
export * from './json-format';
export * from './payload-codec';
export * from './payload-format';
export * from './protobuf-format';
