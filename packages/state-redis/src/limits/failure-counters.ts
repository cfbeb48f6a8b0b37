import { createHash } from 'node:crypto';
import type { Attempt, EpochMillis, FailureCounters, FailureLimit, Millis } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const COUNT = loadScript('failure-count');

/** One hash for each subject, in a slot of its own, for as long as its failures count. */
export class RedisFailureCounters implements FailureCounters {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
  ) {}

  locked(subject: string, now: EpochMillis): Promise<Millis> {
    return this.#run(subject, ['look', now]);
  }

  fail(
    subject: string,
    { max, window, lock }: FailureLimit,
    now: EpochMillis,
    { attempted = false } = {},
  ): Promise<Millis> {
    return this.#run(subject, ['fail', now, max, window, lock, attempted ? 1 : 0]);
  }

  async attempt(subject: string, { max, window }: FailureLimit, now: EpochMillis): Promise<Attempt> {
    const wait = await this.#run(subject, ['attempt', now, max, window]);
    return wait === 0 ? { taken: true } : { taken: false, lock: Math.max(wait, 0) };
  }

  async giveBack(subject: string, now: EpochMillis): Promise<void> {
    await this.#run(subject, ['give-back', now]);
  }

  async succeed(subject: string): Promise<void> {
    await this.#run(subject, ['succeed', 0]);
  }

  /** Not worth waiting for replicas: what a lost master knew costs a few guesses. */
  #run(subject: string, args: (string | number)[]): Promise<Millis> {
    const hash = createHash('sha256').update(subject).digest('hex');
    return this.commands.run<number>(COUNT, [this.keys.failures(hash)], args);
  }
}
