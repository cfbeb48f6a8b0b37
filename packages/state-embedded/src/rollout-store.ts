import type { EpochMillis, Rollout, RolloutStore, RolloutTarget } from '@tandem/core';
import type { Environment } from './environment';
import type { Transactions } from './transactions';

interface Row {
  readonly rollout: Rollout;
  readonly until: EpochMillis;
}

/** A row for each: there are few, and none for long. */
export class EmbeddedRollouts implements RolloutStore {
  constructor(
    private readonly env: Pick<Environment, 'rollouts'>,
    private readonly transactions: Transactions,
  ) {}

  note(rollout: Rollout, until: EpochMillis): Promise<void> {
    return this.transactions.run(() => this.#put({ rollout, until }));
  }

  take(holder: string, now: EpochMillis, until: EpochMillis): Promise<Rollout | undefined> {
    return this.transactions.run(() => {
      let first: Row | undefined;
      for (const { value } of this.env.rollouts.getRange()) {
        const row = JSON.parse(value) as Row;
        if (row.until <= (first?.until ?? now)) first = row;
      }
      const rollout = first && { ...first.rollout, holder };
      if (rollout) this.#put({ rollout, until });
      return rollout;
    });
  }

  keep(rollout: Rollout, until: EpochMillis): Promise<boolean> {
    return this.transactions.run(() => {
      if (!this.#isHeld(rollout)) return false;
      this.#put({ rollout, until });
      return true;
    });
  }

  finish(rollout: Rollout): Promise<void> {
    return this.transactions.run(() => {
      if (this.#isHeld(rollout)) this.env.rollouts.remove(keyOf(rollout.target));
    });
  }

  /** Whoever held one has died: the folder has one owner. To be called before anybody else does. */
  async releaseAll(): Promise<void> {
    await this.transactions.run(() => {
      const rows = [...this.env.rollouts.getRange()].map(({ value }) => JSON.parse(value) as Row);
      for (const { rollout } of rows) this.#put({ rollout, until: 0 });
    });
  }

  async count(): Promise<number> {
    return this.env.rollouts.getCount();
  }

  #isHeld({ target, holder }: Rollout): boolean {
    const text = this.env.rollouts.get(keyOf(target));
    return text !== undefined && (JSON.parse(text) as Row).rollout.holder === holder;
  }

  #put(row: Row): void {
    this.env.rollouts.put(keyOf(row.rollout.target), JSON.stringify(row));
  }
}

const keyOf = ({ kind, id, type }: RolloutTarget): string => `${kind} ${id} ${type}`;
