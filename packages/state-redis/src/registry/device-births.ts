import type { Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { at, type RegistryReader } from './reader';

const BEGIN = loadScript('begin-device');

/** Begins the event logs of devices, each in the slot of its device. */
export class DeviceBirths {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly reader: RegistryReader,
  ) {}

  /**
   * For who found no log of a device: a process may have died after it wrote the device down and before it began the log.
   * @returns whether there is one now, so that it is worth trying again; false for a device that is not there
   */
  async ensure(deviceId: Uuid): Promise<boolean> {
    const [epoch] = await this.reader.read(['epochs', at(deviceId)]);
    return epoch !== undefined && this.begin(deviceId, epoch);
  }

  /** @returns whether the device has a log */
  async begin(deviceId: Uuid, epoch: string): Promise<boolean> {
    const reply = await this.commands.write<'BEGUN' | 'THERE' | 'GONE'>(
      BEGIN,
      [this.keys.device(deviceId, 'log')],
      [epoch],
    );
    return reply !== 'GONE';
  }
}
