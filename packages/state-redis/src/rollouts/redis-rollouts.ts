import type { EpochMillis, Rollout, RolloutStore, RolloutTarget } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const NOTE = loadScript('rollout-note');
const TAKE = loadScript('rollout-take');
const KEEP = loadScript('rollout-keep');

/** All of them in one slot: there are few, and none for long. */
export class RedisRollouts implements RolloutStore {
  readonly #tables: readonly string[];

  constructor(
    private readonly commands: Commands,
    keys: Keys,
  ) {
    this.#tables = ['records', 'holders', 'due'].map((what) => keys.rollouts(what));
  }

  async note(rollout: Rollout, until: EpochMillis): Promise<void> {
    const { target, holder } = rollout;
    await this.commands.write(NOTE, this.#tables, [fieldOf(target), recordOf(rollout), holder, until]);
  }

  async take(holder: string, now: EpochMillis, until: EpochMillis): Promise<Rollout | undefined> {
    const record = await this.commands.write<string | null>(TAKE, this.#tables, [holder, now, until]);
    return record === null ? undefined : { ...(JSON.parse(record) as Omit<Rollout, 'holder'>), holder };
  }

  async keep(rollout: Rollout, until: EpochMillis): Promise<boolean> {
    const { target, holder } = rollout;
    const args = [fieldOf(target), holder, recordOf(rollout), until];
    return (await this.commands.write<number>(KEEP, this.#tables, args)) === 1;
  }

  async finish({ target, holder }: Rollout): Promise<void> {
    await this.commands.write(KEEP, this.#tables, [fieldOf(target), holder]);
  }

  count(): Promise<number> {
    return this.commands.during(() => this.commands.client.hlen(this.#tables[0] ?? ''));
  }
}

const fieldOf = ({ kind, id, type }: RolloutTarget): string => `${kind} ${id} ${type}`;

const recordOf = ({ holder: _, ...rollout }: Rollout): string => JSON.stringify(rollout);
