import {
  type ActivityStore,
  type ActivityTerms,
  type EpochMillis,
  type Settled,
  TandemError,
  type Uuid,
} from '@tandem/core';
import { type Argument, type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { activityKeys } from './activity-keys';
import { type Look, LookIndex } from './look-index';

const NOTE = loadScript('activity');

type Reply = readonly [outcome: 'ABSENT' | 'UNCERTAIN' | 'ACTIVE' | 'INACTIVE' | 'HOUR' | 'SAME', due: string];

/** What a device has whose keys are those of another program: it is left alone, and the log tells. */
const FOREIGN: Reply = ['ABSENT', ''];

/** The connectivity of devices: state and attributes of each in its slot, changed by one script; see `LookIndex`. */
export class RedisActivity implements ActivityStore {
  readonly #index: LookIndex;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly births: { ensure(deviceId: Uuid): Promise<boolean> },
    private readonly publish: 'PUBLISH' | 'SPUBLISH',
  ) {
    this.#index = new LookIndex(commands, keys);
  }

  async begin(deviceId: Uuid, terms: ActivityTerms): Promise<void> {
    await this.#index.touch(deviceId, terms.now + terms.defaultTimeout);
    await this.#note(deviceId, terms, ['begin']);
  }

  async report(activity: ReadonlyMap<Uuid, EpochMillis>, terms: ActivityTerms): Promise<readonly Uuid[]> {
    const outcomes = await Promise.all(
      [...activity].map(async ([deviceId, at]) => ((await this.#seen(deviceId, at, terms)) ? deviceId : undefined)),
    );
    return outcomes.filter((deviceId) => deviceId !== undefined);
  }

  async opened(
    deviceId: Uuid,
    holder: string,
    at: EpochMillis,
    until: EpochMillis,
    terms: ActivityTerms,
  ): Promise<void> {
    await this.#index.touch(deviceId, until);
    await this.#note(deviceId, terms, ['opened', holder, at, until]);
  }

  async closed(deviceId: Uuid, holder: string, at: EpochMillis, terms: ActivityTerms): Promise<void> {
    await this.#note(deviceId, terms, ['closed', holder, at]);
  }

  async settle(terms: ActivityTerms, limit: number): Promise<Settled> {
    const due = await this.#index.due(terms.now, limit);
    const outcomes = await Promise.all(due.map((look) => this.#look(look, terms)));
    const becameInactive = due.filter((_, i) => outcomes[i] === 'INACTIVE').map(({ deviceId }) => deviceId);
    return { looked: due.length, becameInactive };
  }

  async reevaluate(deviceId: Uuid, terms: ActivityTerms): Promise<void> {
    // The time of the look is not known to be right until the device has been looked at: the next monitor puts it right.
    await this.#index.touch(deviceId, terms.now);
    await this.#note(deviceId, terms, ['look']);
  }

  /** @returns whether it became active */
  async #seen(deviceId: Uuid, at: EpochMillis, terms: ActivityTerms): Promise<boolean> {
    const [outcome, due] = await this.#note(deviceId, terms, ['seen', at, 0]);
    if (outcome !== 'UNCERTAIN' && outcome !== 'HOUR') return false;
    await this.#index.touch(deviceId, Number(due));
    if (outcome === 'HOUR') return false;
    return (await this.#note(deviceId, terms, ['seen', at, 1]))[0] === 'ACTIVE';
  }

  async #look(look: Look, terms: ActivityTerms): Promise<Reply[0]> {
    const [outcome, due] = await this.#run(look.deviceId, terms, ['look']);
    await this.#index.move(look, due);
    return outcome;
  }

  async #note(deviceId: Uuid, terms: ActivityTerms, what: readonly Argument[]): Promise<Reply> {
    const reply = await this.#run(deviceId, terms, what);
    if (reply[0] !== 'ABSENT' || reply === FOREIGN || !(await this.births.ensure(deviceId))) return reply;
    return this.#run(deviceId, terms, what);
  }

  async #run(deviceId: Uuid, { now, defaultTimeout }: ActivityTerms, what: readonly Argument[]): Promise<Reply> {
    const { log, activity, attributes, feed } = activityKeys(this.keys, deviceId);
    try {
      return await this.commands.run<Reply>(
        NOTE,
        [log, activity, attributes, feed],
        [now, defaultTimeout, this.publish, ...what],
      );
    } catch (error) {
      if (TandemError.from(error).code === 'INTERNAL') return FOREIGN;
      throw error;
    }
  }
}
