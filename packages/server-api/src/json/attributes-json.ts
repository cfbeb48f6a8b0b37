import type { Attribute } from '@tandem/core';

/** Server contract 5.1: typed values, each with its own text. */
export const attributesJson = (attributes: readonly Attribute[]): string =>
  `[${attributes
    .map(
      ({ lastUpdateTs, key, value }) =>
        `{"lastUpdateTs":${lastUpdateTs},"key":${JSON.stringify(key)},"value":${value}}`,
    )
    .join(',')}]`;
