import type { EpochMillis, Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import { ACTIVITY_TAGS, type Keys } from '../keys';

const CHANGE = loadScript('activity-index');

export interface Look {
  readonly deviceId: Uuid;
  /** As the index has it. */
  readonly due: string;
}

/**
 * When devices have to be looked at, spread over a few slots. Never later than the state of the device says: before a state
 * is written that has to be looked at, the device is put in here, so that a process that dies in between leaves a look too
 * many and never one too few. What a fail-over loses of the index comes back with the devices' messages, within an hour.
 */
export class LookIndex {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
  ) {}

  async touch(deviceId: Uuid, due: EpochMillis): Promise<void> {
    await this.commands.run(CHANGE, [this.keys.activityOf(deviceId)], ['touch', deviceId, due]);
  }

  /** After the look. @param due '' = there is nothing more to look for */
  async move({ deviceId, due: before }: Look, due: string): Promise<void> {
    await this.commands.run(CHANGE, [this.keys.activityOf(deviceId)], ['move', deviceId, before, due]);
  }

  /** Earliest first. */
  async due(now: EpochMillis, limit: number): Promise<Look[]> {
    if (limit <= 0) return [];
    const parts = await Promise.all(ACTIVITY_TAGS.map((tag) => this.#dueOf(this.keys.activity(tag), now, limit)));
    return parts
      .flat()
      .sort((one, other) => Number(one.due) - Number(other.due))
      .slice(0, limit);
  }

  async #dueOf(key: string, now: EpochMillis, limit: number): Promise<Look[]> {
    const { client } = this.commands;
    const reply = await this.commands.during(() =>
      client.zrange(key, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES'),
    );
    const looks: Look[] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) looks.push({ deviceId: reply[i] ?? '', due: reply[i + 1] ?? '' });
    return looks;
  }
}
