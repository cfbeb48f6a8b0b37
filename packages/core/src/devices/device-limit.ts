import { TandemError } from '../errors';
import type { MetricsRegistry } from '../platform/metrics';

/** How many devices a tenant may have. */
export class DeviceLimit {
  readonly #refused: { add(): void };

  /** @param max `TANDEM_TENANT_MAX_DEVICES`; 0: no limit */
  constructor(
    readonly max: number,
    metrics: MetricsRegistry,
  ) {
    this.#refused = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_TENANT_MAX_DEVICES' });
  }

  refusal(): TandemError {
    this.#refused.add();
    return new TandemError('BAD_REQUEST', {
      message: `The tenant has as many devices as it may have: ${this.max} (TANDEM_TENANT_MAX_DEVICES)`,
    });
  }
}
