import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { RpcStore } from '../state/rpc-store';

/** Commands that one look takes. */
const BATCH = 500;

/** Persistent commands that are finished: they are kept for a time, so that their sender can see what became of them. */
export class FinishedRpcs {
  readonly #removed: { add(): void };

  /** @param ttl `TANDEM_RPC_TTL`; undefined = age does not count */
  constructor(
    private readonly rpcs: Pick<RpcStore, 'finished' | 'remove'>,
    private readonly ttl: Millis | undefined,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#removed = metrics.counter('tandem_rpcs_outdated_total');
  }

  /**
   * Removes what is too old, step by step. To be called regularly; any number of processes may do so.
   * @param stopped whether to leave it there
   * @throws TandemError STORE_UNAVAILABLE
   */
  async trim(stopped: () => boolean = () => false): Promise<void> {
    if (this.ttl === undefined) return;
    for (let removed = BATCH; removed === BATCH && !stopped(); ) {
      const ids = await this.rpcs.finished(this.clock.now() - this.ttl, BATCH);
      const outcomes = await Promise.allSettled(ids.map((id) => this.rpcs.remove(id)));
      removed = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') {
          if (outcome.value) this.#removed.add();
          continue;
        }
        const error = TandemError.from(outcome.reason);
        if (error.code === 'STORE_UNAVAILABLE') throw error;
        this.logger.warn('outdated RPC not removed', { rpcId: ids[index], error: error.message });
      }
    }
  }
}
