import type { Uuid } from '@tandem/core';
import type { Environment } from './environment';
import { prefixRange, uuidBytes } from './keys';

/** How many devices each tenant has, as the one process of the folder knows. To be used within transactions. */
export class DeviceCounts {
  readonly #counts = new Map<Uuid, number>();

  constructor(private readonly env: Pick<Environment, 'devicesByName'>) {}

  /** Counted when it is asked for first: of most tenants nobody ever asks. */
  of(tenantId: Uuid): number {
    const known = this.#counts.get(tenantId);
    if (known !== undefined) return known;
    const counted = this.env.devicesByName.getKeysCount(prefixRange(uuidBytes(tenantId)));
    this.#counts.set(tenantId, counted);
    return counted;
  }

  add(tenantId: Uuid, n: 1 | -1): void {
    const known = this.#counts.get(tenantId);
    if (known !== undefined) this.#counts.set(tenantId, known + n);
  }

  forget(): void {
    this.#counts.clear();
  }
}
