import { type EpochMillis, type Logger, TandemError, type Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { RedisBounds } from '../options';
import { expiringKey, historyKey, latestKey, unlistedKey } from './telemetry-view';

const RETAIN = loadScript('telemetry-retain');
const EXPIRE = loadScript('telemetry-expire');
/** Series, or points, of one call: Redis does nothing else meanwhile. */
const PIECE = 500;

/** Removes from the histories of one device what is too old, too much or over. */
export class DeviceSweep {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly bounds: Pick<RedisBounds, 'historyMax' | 'historyMaxAge'>,
    /** For what is told of every device. */
    private readonly quiet: Logger,
  ) {}

  /**
   * @returns points that were removed
   * @throws TandemError STORE_UNAVAILABLE
   */
  async run(deviceId: Uuid, now: EpochMillis): Promise<number> {
    try {
      return (await this.#expire(deviceId, now)) + (await this.#retain(deviceId, now));
    } catch (error) {
      if (TandemError.from(error).code === 'STORE_UNAVAILABLE') throw error;
      this.quiet.warn('what is too old of a device could not be removed', { deviceId, error: String(error) });
      return 0;
    }
  }

  async #expire(deviceId: Uuid, now: EpochMillis): Promise<number> {
    const expiring = expiringKey(this.keys, deviceId);
    let removed = 0;
    for (;;) {
      const members = await this.commands.during(() =>
        this.commands.client.zrangebyscore(expiring, '-inf', now, 'LIMIT', 0, PIECE),
      );
      if (members.length === 0) return removed;
      const points = members.map((member) => {
        const space = member.indexOf(' ');
        return {
          member,
          ts: member.slice(0, space),
          history: historyKey(this.keys, deviceId, member.slice(space + 1)),
        };
      });
      removed += await this.commands.run<number>(
        EXPIRE,
        [expiring, ...points.map(({ history }) => history)],
        [now, ...points.flatMap(({ ts, member }) => [ts, member])],
      );
      if (members.length < PIECE) return removed;
    }
  }

  async #retain(deviceId: Uuid, now: EpochMillis): Promise<number> {
    const { historyMax, historyMaxAge } = this.bounds;
    const unlisted = unlistedKey(this.keys, deviceId);
    const oldest = historyMaxAge > 0 ? now - historyMaxAge : '-inf';
    const names = await this.commands.during(async () => {
      const { client } = this.commands;
      const found = await Promise.all([client.hkeys(latestKey(this.keys, deviceId)), client.smembers(unlisted)]);
      return found.flat();
    });
    let removed = 0;
    for (let from = 0; from < names.length; from += PIECE) {
      const piece = names.slice(from, from + PIECE);
      removed += await this.commands.run<number>(
        RETAIN,
        [unlisted, ...piece.map((name) => historyKey(this.keys, deviceId, name))],
        [oldest, historyMax, ...piece],
      );
    }
    return removed;
  }
}
