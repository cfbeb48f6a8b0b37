import type { Millis } from '@tandem/core';

/** How long Redis may take where a test is not about one that is slow: on a machine that others use up, for much at once. */
export const PATIENCE: Millis = 20_000;
