import type { Logger, Millis } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const LEASE = loadScript('telemetry-lease');
const MEMBERS = loadScript('telemetry-members');

/** Which partitions this process materialises: a fair share of them, each of one process at a time. */
export class Leases {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly processId: string,
    private readonly duration: Millis,
    /** Quiet: what is told is told again with every round. */
    private readonly logger: Logger,
  ) {}

  /**
   * Says that we are here, keeps what we have up to our share and takes what is free.
   * @param held as it was the last time
   * @returns as it is now
   */
  async tend(partitions: number, held: ReadonlySet<number>): Promise<Set<number>> {
    const share = Math.ceil(partitions / Math.max(1, await this.#members('here')));
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const mine = all.filter((partition) => held.has(partition));
    const kept = await this.#each(mine.slice(0, share), 'keep');
    await this.#each(mine.slice(share), 'free');
    // Not all processes begin with the same one: else each would run into the others.
    const start = Math.floor(Math.random() * partitions);
    const others = [...all.slice(start), ...all.slice(0, start)].filter((partition) => !held.has(partition));
    for (const partition of others) {
      if (kept.size >= share) break;
      if (await this.#ask(partition, 'take')) kept.add(partition);
    }
    return kept;
  }

  async release(held: Iterable<number>): Promise<void> {
    await Promise.all([this.#each(held, 'free'), this.#members('gone')]);
  }

  #members(what: 'here' | 'gone'): Promise<number> {
    return this.commands.run<number>(
      MEMBERS,
      [this.keys.registry('materialisers')],
      [this.processId, this.duration, what],
    );
  }

  async #each(partitions: Iterable<number>, what: 'keep' | 'free'): Promise<Set<number>> {
    const ours = new Set<number>();
    await Promise.all(
      Array.from(partitions, async (partition) => {
        if (await this.#ask(partition, what)) ours.add(partition);
      }),
    );
    return ours;
  }

  async #ask(partition: number, what: 'take' | 'keep' | 'free'): Promise<boolean> {
    const key = this.keys.partition(partition, 'lease');
    const reply = await this.commands.run<number>(LEASE, [key], [this.processId, this.duration, what]);
    if (reply < 0) {
      this.logger.error(`${key} is a key of another program: the partition's telemetry waits until it is gone`, {
        partition,
        key,
      });
    }
    return reply === 1;
  }
}
