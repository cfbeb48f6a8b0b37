import { availableParallelism } from 'node:os';
import type { Settings } from '@tandem/core';

/** Of worker processes; 1: the process serves by itself. */
export const howManyWorkers = ({ TANDEM_WORKERS }: Settings): number =>
  TANDEM_WORKERS === 'auto' ? availableParallelism() : TANDEM_WORKERS;
