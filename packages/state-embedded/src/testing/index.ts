export * from './open-core';
