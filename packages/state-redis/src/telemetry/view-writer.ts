import { type Logger, type Millis, quietLogger, systemClock, TandemError, type Uuid } from '@tandem/core';
import { Cluster, type Redis } from 'ioredis';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { RedisBounds } from '../options';
import { TooFewReplicasError } from './batch-sender';
import { deviceOf, isAfter, type StreamEntry } from './message-codec';
import type { Portion } from './partition-reader';
import { type CallOptions, nextCall } from './view-call';

const APPLY = loadScript('telemetry-apply');
/** How often a foreign key is told of. */
export const FOREIGN_KEY_INTERVAL: Millis = 10_000;

/** Makes the event logs of devices that have none; see DeviceBirths. */
export interface Births {
  ensure(deviceId: Uuid): Promise<boolean>;
}

/** Entries of one device that the view cannot take, or not all of them. */
export interface LeftOut {
  readonly deviceId: Uuid;
  readonly entries: readonly StreamEntry[];
  /** It belongs to another program: the view has to have it. */
  readonly key: string;
}

/** Takes care of what is left out: nothing that comes after it is written until it has resolved. */
export type OnLeftOut = (leftOut: LeftOut) => Promise<void>;

/** As telemetry-apply.lua answers. */
type ApplyReply = readonly [outcome: string, ...numbers: number[]];

const VIEW = 'the view is not replicated';

type How = Pick<CallOptions, 'again' | 'life'>;

/** Watched devices that are remembered; beyond it all are forgotten, and found out about again. */
const MAX_WATCHED = 10_000;

/** Of these keys of a call nothing can be done without. */
const HEADS = 5;

/** Puts entries of the log into the view. Doing it again, or by a process that had them before, changes nothing. */
export class ViewWriter {
  readonly #quiet: Logger;
  /** Devices that somebody watched when they were last written to: their messages go along at once. */
  readonly #watched = new Set<Uuid>();
  readonly #limits: Pick<CallOptions, 'historyMax' | 'keysMax'>;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly births: Births,
    private readonly bounds: Pick<RedisBounds, 'historyMax' | 'telemetryKeysMax' | 'waitReplicas' | 'timeout'>,
    private readonly publish: 'PUBLISH' | 'SPUBLISH',
    private readonly logger: Logger,
    /** Of values that are passed over because a device has all the keys it may have. */
    private readonly onRefused: (deviceId: Uuid, values: number) => void,
  ) {
    this.#limits = { historyMax: bounds.historyMax, keysMax: bounds.telemetryKeysMax };
    this.#quiet = quietLogger(logger, systemClock, FOREIGN_KEY_INTERVAL);
  }

  /**
   * Resolves when all entries are in the view, but for those of devices that are gone, those nobody can read, and what is
   * left out: of a message only the series whose keys are foreign.
   * @param portion of one partition, in its order
   * @throws TandemError STORE_UNAVAILABLE
   */
  write({ entries, life }: Pick<Portion, 'entries' | 'life'>, onLeftOut: OnLeftOut): Promise<void> {
    return this.#write(entries, onLeftOut, { again: false, life });
  }

  /**
   * The same for entries that were left out before, or not: what the view has stays where it is as new.
   * @param entries the newest first
   */
  again(entries: readonly StreamEntry[], onLeftOut: OnLeftOut): Promise<void> {
    return this.#write(entries, onLeftOut, { again: true, life: '-' });
  }

  /**
   * Resolves when as many replicas as are asked for have what was written. A master that has lost its replicas is not waited
   * for: until they are back it would hold up the view of all devices, and in the end the door.
   */
  async replicated(): Promise<void> {
    if (this.bounds.waitReplicas === 0) return;
    const { client } = this.commands;
    const masters = client instanceof Cluster ? client.nodes('master') : [client];
    await this.commands.during(() => Promise.all(masters.map((master) => this.#replicatedBy(master))));
  }

  async #replicatedBy(master: Redis): Promise<void> {
    const { waitReplicas, timeout } = this.bounds;
    if ((await master.wait(waitReplicas, Math.floor(timeout / 4))) >= waitReplicas) return;
    const connected = Number(/^connected_slaves:(\d+)/m.exec(await master.info('replication'))?.[1] ?? 0);
    if (connected >= waitReplicas) throw new TandemError('STORE_UNAVAILABLE', { cause: new TooFewReplicasError(VIEW) });
    this.#quiet.warn('a master has lost its replicas: the view goes on without them', { connected, waitReplicas });
  }

  async #write(entries: readonly StreamEntry[], onLeftOut: OnLeftOut, how: How): Promise<void> {
    const devices = new Map<Uuid, StreamEntry[]>();
    let foreign = 0;
    for (const entry of entries) {
      const deviceId = deviceOf(entry);
      if (deviceId === undefined) {
        foreign++;
        continue;
      }
      const own = devices.get(deviceId);
      if (own) own.push(entry);
      else devices.set(deviceId, [entry]);
    }
    if (foreign > 0) this.logger.warn('entries of the telemetry log that are not ours were passed over', { foreign });
    await Promise.all(Array.from(devices, ([deviceId, own]) => this.#device(deviceId, own, onLeftOut, how)));
  }

  async #device(deviceId: Uuid, entries: readonly StreamEntry[], onLeftOut: OnLeftOut, how: How): Promise<void> {
    const foreign = new Set<string>();
    const known = new Set<StreamEntry>();
    const leaveOut = async (left: readonly StreamEntry[], key: string) => {
      this.#tell(deviceId, key);
      const fresh = left.filter((entry) => !known.has(entry));
      for (const entry of fresh) known.add(entry);
      if (fresh.length > 0) await onLeftOut({ deviceId, entries: fresh, key });
    };
    let left = entries;
    let born = false;
    while (left.length > 0) {
      const call = nextCall(this.keys, deviceId, left, {
        ...how,
        ...this.#limits,
        publish: this.publish,
        watched: !how.again && this.#watched.has(deviceId),
        foreign,
      });
      for (const [key, some] of byKey(call.leftOut)) await leaveOut(some, key);
      const [outcome, ...numbers] = await this.commands.run<ApplyReply>(APPLY, call.keys, call.args);
      if (outcome === 'foreign') {
        const head = numbers.find((n) => n <= HEADS);
        if (head === undefined) for (const n of numbers) foreign.add(call.keys[n - 1] ?? '');
        else {
          await leaveOut(call.entries, call.keys[head - 1] ?? '');
          left = call.rest;
        }
      } else if (outcome === 'watched') {
        if (this.#watched.size >= MAX_WATCHED) this.#watched.clear();
        this.#watched.add(deviceId);
      } else if (outcome === 'absent') {
        if (born || !(await this.births.ensure(deviceId))) return;
        born = true;
      } else if (outcome === 'born') {
        left = left.filter(([id]) => Number.parseInt(id, 10) >= (numbers[0] ?? 0));
      } else if (outcome === 'applied') {
        const { damaged } = call;
        const [watched, refused = 0] = numbers;
        if (watched === 0) this.#watched.delete(deviceId);
        if (refused > 0) this.onRefused(deviceId, refused);
        if (damaged > 0) this.logger.error('telemetry that cannot be read was passed over', { deviceId, damaged });
        left = call.rest;
      } else {
        const lastId = call.entries.at(-1)?.[0] ?? '';
        left = isAfter(outcome, lastId) || outcome === lastId ? call.rest : left.filter(([id]) => isAfter(id, outcome));
      }
    }
  }

  #tell(deviceId: Uuid, key: string): void {
    this.#quiet.error(`${key} is a key of another program: telemetry is left out of the view until it is gone`, {
      deviceId,
      key,
    });
  }
}

function byKey(leftOut: ReadonlyMap<StreamEntry, string>): Map<string, StreamEntry[]> {
  const keys = new Map<string, StreamEntry[]>();
  for (const [entry, key] of leftOut) {
    const entries = keys.get(key);
    if (entries) entries.push(entry);
    else keys.set(key, [entry]);
  }
  return keys;
}
