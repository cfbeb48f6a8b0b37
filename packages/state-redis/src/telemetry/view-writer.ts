import { type Logger, TandemError, type Uuid } from '@tandem/core';
import { Cluster } from 'ioredis';
import { type Commands, loadScript, storeFailure } from '../client';
import type { Keys } from '../keys';
import type { RedisBounds } from '../options';
import { TooFewReplicasError } from './batch-sender';
import { deviceOf, isAfter, type StreamEntry } from './message-codec';
import { nextCall } from './view-call';

const APPLY = loadScript('telemetry-apply');

/** Makes the event logs of devices that have none; see DeviceBirths. */
export interface Births {
  ensure(deviceId: Uuid): Promise<boolean>;
}

/** Puts entries of the log into the view. Doing it again, or by a process that had them before, changes nothing. */
export class ViewWriter {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly births: Births,
    private readonly bounds: Pick<RedisBounds, 'historyMax' | 'waitReplicas' | 'timeout'>,
    private readonly logger: Logger,
  ) {}

  /**
   * Resolves when all entries are in the view, but for those of devices that are gone and those nobody can read.
   * @param entries of one partition, in its order
   * @throws TandemError STORE_UNAVAILABLE
   */
  async write(entries: readonly StreamEntry[]): Promise<void> {
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
    await Promise.all(Array.from(devices, ([deviceId, own]) => this.#device(deviceId, own)));
  }

  /** Resolves when as many replicas as are asked for have what was written. */
  async replicated(): Promise<void> {
    const { waitReplicas, timeout } = this.bounds;
    if (waitReplicas === 0) return;
    const { client } = this.commands;
    const masters = client instanceof Cluster ? client.nodes('master') : [client];
    await this.commands.during(async () => {
      const counts = await Promise.all(masters.map((master) => master.wait(waitReplicas, Math.floor(timeout / 4))));
      if (Math.min(...counts) < waitReplicas) {
        throw new TandemError('STORE_UNAVAILABLE', { cause: new TooFewReplicasError('the view is not replicated') });
      }
    });
  }

  async #device(deviceId: Uuid, entries: readonly StreamEntry[]): Promise<void> {
    let left = entries;
    let born = false;
    while (left.length > 0) {
      const { keys, args, lastId, damaged, rest } = nextCall(this.keys, deviceId, left, this.bounds.historyMax);
      const reply = await this.#apply(deviceId, keys, args);
      if (reply === 'absent') {
        if (born || !(await this.births.ensure(deviceId))) return;
        born = true;
      } else if (reply === 'applied') {
        if (damaged > 0) this.logger.error('telemetry that cannot be read was passed over', { deviceId, damaged });
        left = rest;
      } else {
        left = isAfter(reply, lastId) || reply === lastId ? rest : left.filter(([id]) => isAfter(id, reply));
      }
    }
  }

  async #apply(deviceId: Uuid, keys: readonly string[], args: readonly (string | number)[]): Promise<string> {
    try {
      return await this.commands.run<string>(APPLY, keys, args);
    } catch (error) {
      const failure = storeFailure(error, this.logger);
      if (!isForeignKey(failure)) throw failure;
      // It will not go away by itself, and all other devices would wait behind it for ever.
      this.logger.error('telemetry of a device was left out of the view', { deviceId });
      return String(args[1]);
    }
  }
}

/** Whether another program's key is in the place of one of ours. */
export const isForeignKey = ({ cause }: TandemError): boolean =>
  cause instanceof Error && cause.message.startsWith('WRONGTYPE');
