import { silentLogger } from '@tandem/core';
import { storeFailure } from './failures';

const reasonOf = (fault?: string): unknown => {
  const ofClient = new Error(
    'Reached the max retries per request limit (which is 1). Refer to "maxRetriesPerRequest" option for details.',
  );
  const { cause, code } = storeFailure(ofClient, silentLogger, undefined, fault);
  return [code, cause instanceof Error && cause.message];
};

describe('A Redis that cannot be reached', () => {
  it('is told of in a sentence for the operator, and not in the terms of the client', () => {
    expect(reasonOf()).toEqual(['STORE_UNAVAILABLE', 'Redis cannot be reached']);
    expect(reasonOf('connect ECONNREFUSED')).toEqual([
      'STORE_UNAVAILABLE',
      'Redis cannot be reached (connect ECONNREFUSED)',
    ]);
  });
});
