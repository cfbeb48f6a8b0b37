import type { Uuid } from '@tandem/core';
import type { Environment } from './environment';

/** Whether one of these was a tenant or customer of which something may be left: nothing new of it is made. */
export const isRemoved = ({ removals }: Pick<Environment, 'removals'>, ...ids: readonly Uuid[]): boolean =>
  ids.some((id) => removals.doesExist(id));
