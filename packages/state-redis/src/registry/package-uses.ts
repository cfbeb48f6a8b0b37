import type { Uuid } from '@tandem/core';
import type { Commit } from './commit';

/** What a device or a device profile refers to. */
interface Assigned {
  readonly firmwareId: Uuid | null;
  readonly softwareId: Uuid | null;
}

const NOTHING: Assigned = { firmwareId: null, softwareId: null };

/** Adds to the commit that other packages are referred to from now on: they have to be there. */
export function referTo(commit: Commit, before: Assigned = NOTHING, after: Assigned = NOTHING): void {
  for (const type of ['firmwareId', 'softwareId'] as const) {
    // A record of before there were packages has neither.
    const [former, next] = [before[type] ?? null, after[type] ?? null];
    if (former === next) continue;
    if (former !== null) commit.add('package-uses', former, -1);
    if (next !== null) commit.present('packages', next, 'PACKAGE_ABSENT').add('package-uses', next, 1);
  }
}
