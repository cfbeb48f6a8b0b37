import { NULL_UUID, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Removal } from '../state/account-store';
import type { Page, PageQuery, Written } from '../state/device-store';
import type { State } from '../state/state';

type Stores = Pick<State, 'accounts' | 'devices' | 'firmware'>;

/** Entities of one step. */
const PIECE = 100;
/** Removals that are looked for at once. */
const BATCH = 100;
/** Removals that are remembered as failed. */
const FAILED_MAX = 10_000;
/** How long whoever deletes waits for what was theirs to go; the rest goes behind the answer. */
const PATIENCE: Millis = 10_000;
/** A write that began before a deletion has been made or has failed by then: what it left is found before the note goes. */
const SETTLED: Millis = 60_000;

/**
 * Removes what deleted tenants and customers had, piece by piece. The deletion itself left a note; it goes when a look, a
 * while after the deletion, finds nothing any more. So what a process left that died is taken up by any other, and two of
 * them at one removal do no harm.
 */
export class Removals {
  #left = 0;
  /** What failed in the last round: whatever it is that keeps it, it does not keep the others. */
  #failed: ReadonlySet<Uuid> = new Set();

  constructor(
    private readonly stores: Stores,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    metrics.gauge('tandem_removals', () => this.#left);
  }

  /** Resolves when nothing is left, or after a while. Never rejects: what cannot be removed now is removed later. */
  async begin(removal: Removal): Promise<void> {
    let late: { cancel(): void } | undefined;
    const patience = new Promise<void>((resolve) => {
      late = this.clock.setTimer(PATIENCE, resolve);
    });
    await Promise.race([this.#tried(removal), patience]);
    late?.cancel();
  }

  /**
   * Takes up what was left, what failed before at last. To be called now and again.
   * @param stopped whether to leave the rest for another time
   * @throws TandemError STORE_UNAVAILABLE
   */
  async resume(stopped: () => boolean = () => false): Promise<void> {
    const last = this.#failed;
    const failed = new Set<Uuid>();
    const tried = new Set<Uuid>();
    for (let done = 1; done > 0 && !stopped(); ) {
      // Those that stay in the list must not hide the others.
      const asked = BATCH + Math.max(last.size, tried.size);
      const removals = await this.stores.accounts.listRemovals(asked);
      this.#left = removals.length;
      done = 0;
      const failedBefore = ({ id }: Removal) => Number(last.has(id));
      for (const removal of [...removals].sort((a, b) => failedBefore(a) - failedBefore(b))) {
        if (stopped()) break;
        if (tried.has(removal.id)) continue;
        tried.add(removal.id);
        if (!(await this.#tried(removal))) {
          if (failed.size < FAILED_MAX) failed.add(removal.id);
          continue;
        }
        done++;
        if (this.clock.now() - removal.deletedAt < SETTLED) continue;
        await this.stores.accounts.finishRemoval(removal.id);
        tried.delete(removal.id);
        this.#left--;
      }
      if (removals.length < asked) break;
    }
    this.#failed = failed;
  }

  /** @returns whether nothing is left. One that fails must not keep the others. */
  async #tried(removal: Removal): Promise<boolean> {
    try {
      await (removal.kind === 'tenant' ? this.#removeTenant(removal.id) : this.#removeCustomer(removal));
      return true;
    } catch (error) {
      const { kind, id } = removal;
      this.logger.warn('something of what was deleted is left for now', {
        kind,
        id,
        error: TandemError.from(error).message,
      });
      return false;
    }
  }

  /** Users first: they could go on making things. */
  async #removeTenant(tenantId: Uuid): Promise<void> {
    const { accounts, devices, firmware } = this.stores;
    await removeAll(
      (query) => accounts.listUsers(tenantId, {}, query),
      ({ id }) => accounts.deleteUser(id),
    );
    await removeAll(
      (query) => devices.listDevices(tenantId, query),
      ({ id }) => devices.deleteDevice(id),
    );
    await removeAll(
      (query) => devices.listProfiles(tenantId, query),
      ({ id }) => devices.deleteProfile(id),
    );
    await removeAll(
      (query) => firmware.list(tenantId, query),
      ({ id }) => firmware.delete(id),
    );
    await removeAll(
      (query) => accounts.listCustomers(tenantId, query),
      ({ id }) => accounts.deleteCustomer(id, this.clock.now()),
    );
  }

  async #removeCustomer({ id: customerId, tenantId }: Removal): Promise<void> {
    const { accounts, devices } = this.stores;
    await removeAll(
      (query) => accounts.listUsers(tenantId, { customerId }, query),
      ({ id }) => accounts.deleteUser(id),
    );
    await removeAll(
      (query) => devices.listDevices(tenantId, { ...query, customerId }),
      (device) => devices.updateDevice({ ...device, customerId: NULL_UUID }),
    );
  }
}

/** How often a piece may be found again with nothing of it gone, because others change it all the time. */
const FRUITLESS = 5;

/** @throws TandemError STORE_UNAVAILABLE when it comes to nothing */
async function removeAll<T>(
  list: (query: PageQuery) => Promise<Page<T>>,
  remove: (entity: T) => Promise<Written<unknown>>,
): Promise<void> {
  for (let fruitless = 0; fruitless < FRUITLESS; ) {
    // What was there is gone, so the first page is the next one.
    const { data } = await list({ page: 0, pageSize: PIECE });
    if (data.length === 0) return;
    let removed = 0;
    for (const entity of data) if ((await remove(entity)).ok) removed++;
    fruitless = removed > 0 ? 0 : fruitless + 1;
  }
  throw new TandemError('STORE_UNAVAILABLE', { message: 'What is to be removed is being changed by too many at once' });
}
