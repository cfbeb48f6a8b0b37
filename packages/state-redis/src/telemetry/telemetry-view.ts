import {
  type Deletion,
  type HistoryQuery,
  parsePoint,
  type TelemetryPoint,
  type TelemetryView,
  type Uuid,
} from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const DELETE = loadScript('telemetry-delete');
/** Keys of one command, so that Redis answers others in between. */
const PIECE = 1_000;

/** Where the view keeps what a device has sent; written by telemetry-apply.lua. */
export const latestKey = (keys: Keys, deviceId: Uuid): string => keys.device(deviceId, 'latest');
export const latestMetaKey = (keys: Keys, deviceId: Uuid): string => keys.device(deviceId, 'latest-meta');
/** Keys that have a history and no latest value, since that was deleted: nothing else names these series. */
export const unlistedKey = (keys: Keys, deviceId: Uuid): string => keys.device(deviceId, 'unlisted');
/** Points that leave the history at a time of their own: '<ts> <key>' by that time. */
export const expiringKey = (keys: Keys, deviceId: Uuid): string => keys.device(deviceId, 'expiring');
export const historyKey = (keys: Keys, deviceId: Uuid, key: string): string => keys.device(deviceId, `history:${key}`);

/** What the materialisers have made of the log. */
export class RedisTelemetryView implements TelemetryView {
  constructor(
    private readonly commands: Commands,
    private readonly keysOf: Keys,
    private readonly publish: 'PUBLISH' | 'SPUBLISH',
  ) {}

  keys(deviceId: Uuid): Promise<string[]> {
    return this.commands.during(() => this.commands.client.hkeys(latestKey(this.keysOf, deviceId)));
  }

  async latest(deviceId: Uuid, keys?: readonly string[]): Promise<Map<string, TelemetryPoint>> {
    const latest = latestKey(this.keysOf, deviceId);
    const { client } = this.commands;
    if (!keys) {
      const all = await this.commands.during(() => client.hgetall(latest));
      return new Map(Object.entries(all).map(([key, line]) => [key, parsePoint(line)]));
    }
    const lines = await this.commands.during(() =>
      Promise.all(piecesOf(keys).map((piece) => client.call('hmget', [latest, ...piece]) as Promise<unknown[]>)),
    );
    const points = new Map<string, TelemetryPoint>();
    for (const [n, line] of lines.flat().entries()) {
      if (typeof line === 'string') points.set(keys[n] ?? '', parsePoint(line));
    }
    return points;
  }

  async history(
    deviceId: Uuid,
    key: string,
    { startTs, endTs, limit, order }: HistoryQuery,
  ): Promise<TelemetryPoint[]> {
    if (startTs >= endTs || limit <= 0) return [];
    const series = historyKey(this.keysOf, deviceId, key);
    const [first, last] = [String(startTs), `(${endTs}`];
    const lines = await this.commands.during(() => {
      const { client } = this.commands;
      return order === 'ASC'
        ? client.zrangebyscore(series, first, last, 'LIMIT', 0, limit)
        : client.zrevrangebyscore(series, last, first, 'LIMIT', 0, limit);
    });
    return lines.map(parsePoint);
  }

  async delete(deviceId: Uuid, key: string, { startTs, endTs, latest }: Deletion): Promise<void> {
    if (startTs >= endTs) return;
    const keys = this.keysOf;
    await this.commands.write(
      DELETE,
      [
        keys.device(deviceId, 'log'),
        latestKey(keys, deviceId),
        unlistedKey(keys, deviceId),
        historyKey(keys, deviceId, key),
        keys.feedChannel(deviceId),
      ],
      [key, startTs, endTs, latest, this.publish],
    );
  }
}

function piecesOf(keys: readonly string[]): string[][] {
  const pieces: string[][] = [];
  for (let from = 0; from < keys.length; from += PIECE) pieces.push(keys.slice(from, from + PIECE));
  return pieces;
}
