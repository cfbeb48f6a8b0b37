import type { Uuid } from '@tandem/core';
import type { Environment, ViewEnvironment } from './environment';
import { prefixRange, uuidBytes } from './keys';
import type { Transactions } from './transactions';

/** Rows of one transaction: short enough that nobody waits long for the writer. */
const BATCH = 2_000;

/**
 * Removes what the view has of deleted devices. The deletion itself notes the device in `purges`; the note goes only when all
 * rows are gone, so a purge that a crash cut off is taken up at the next start.
 */
export class ViewPurge {
  constructor(
    private readonly env: Environment,
    private readonly view: ViewEnvironment,
    private readonly transactions: Transactions,
    private readonly viewTransactions: Transactions,
  ) {}

  /** Resolves when nothing of the device is left in the view. */
  async run(deviceId: Uuid): Promise<void> {
    const rows = prefixRange(uuidBytes(deviceId));
    for (const table of [this.view.latest, this.view.history, this.view.expiring]) {
      let removed: number;
      do {
        removed = await this.viewTransactions.run(() => {
          const keys = [...table.getKeys({ ...rows, limit: BATCH })];
          for (const key of keys) table.remove(key);
          return keys.length;
        });
      } while (removed === BATCH);
    }
    await this.transactions.run(() => {
      // A poll that ended with the device may have left its cursor after the deletion.
      this.env.cursors.remove(deviceId);
      this.env.purges.remove(deviceId);
    });
  }

  /** Takes up what the last process left. */
  async resume(): Promise<void> {
    for (const deviceId of [...this.env.purges.getKeys()]) await this.run(deviceId);
  }
}
