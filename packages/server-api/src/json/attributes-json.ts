import type { Attribute } from '@tandem/core';
import { ANY, EPOCH_MILLIS, exactly, listOf, TEXT } from './schema';

export const ATTRIBUTES_ANSWER = listOf(exactly('Attribute', { lastUpdateTs: EPOCH_MILLIS, key: TEXT, value: ANY }));

/** Server contract 5.1: typed values, each with its own text. */
export const attributesJson = (attributes: readonly Attribute[]): string =>
  `[${attributes
    .map(
      ({ lastUpdateTs, key, value }) =>
        `{"lastUpdateTs":${lastUpdateTs},"key":${JSON.stringify(key)},"value":${value}}`,
    )
    .join(',')}]`;
