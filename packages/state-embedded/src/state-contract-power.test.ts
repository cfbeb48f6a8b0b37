import { describeWritesContract } from '@tandem/core/testing';
import { makeEmbeddedStore } from './testing/embedded-store';

describeWritesContract('the embedded store that flushes to the disk', (limits) =>
  makeEmbeddedStore({ ...limits, durability: 'power' }),
);
