import {
  type Claim,
  type ClaimStore,
  type Conflict,
  type Device,
  NULL_UUID,
  type SealedRecords,
  type Uuid,
  type Written,
} from '@tandem/core';
import { Commit } from './commit';
import type { Devices } from './devices';
import { at, type RegistryReader } from './reader';
import { parseDevice } from './records';
import type { RegistryWriter } from './writer';

/** Claims are in the registry, beside the devices: giving a device away uses its claim up in the same step. */
export class RedisClaims implements ClaimStore {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly devices: Devices,
    private readonly records: SealedRecords,
  ) {}

  async register(deviceId: Uuid, claim: Claim, now: number): Promise<boolean> {
    const written = await this.writer.write(async () => {
      const [deviceText, text] = await this.reader.read(['devices', at(deviceId)], ['claims', at(deviceId)]);
      const device = parseDevice(deviceText, undefined);
      const there = this.#parse(deviceId, text);
      if (device?.customerId !== NULL_UUID || (there && there.expirationTime > now)) return 'ABSENT';
      const commit = new Commit()
        .unchanged('devices', deviceId, deviceText)
        .unchanged('claims', deviceId, text)
        .set('claims', deviceId, this.records.claimText(deviceId, claim));
      return { value: undefined, commit };
    });
    return written.ok;
  }

  async get(deviceId: Uuid): Promise<Claim | undefined> {
    const [text] = await this.reader.read(['claims', at(deviceId)]);
    return this.#parse(deviceId, text);
  }

  async discard(deviceId: Uuid, claim: Claim): Promise<boolean> {
    const written = await this.writer.write(async () => {
      const commit = new Commit();
      const refused = await this.#use(commit, deviceId, claim, 'ABSENT');
      return refused ?? { value: undefined, commit };
    });
    return written.ok;
  }

  assign(device: Device, claim?: Claim): Promise<Written<Device>> {
    return this.devices.update(device, async (commit) => {
      if (claim) return this.#use(commit, device.id, claim, 'VERSION');
      commit.remove('claims', device.id);
      return undefined;
    });
  }

  /**
   * Adds to the commit that this very claim goes.
   * @returns `absent` where it is not there
   */
  async #use(commit: Commit, deviceId: Uuid, claim: Claim, absent: Conflict): Promise<Conflict | undefined> {
    const [text] = await this.reader.read(['claims', at(deviceId)]);
    const there = this.#parse(deviceId, text);
    if (there?.secretHash !== claim.secretHash || there.expirationTime !== claim.expirationTime) return absent;
    commit.unchanged('claims', deviceId, text).remove('claims', deviceId);
    return undefined;
  }

  #parse(deviceId: Uuid, text: string | undefined): Claim | undefined {
    return text === undefined ? undefined : this.records.claim(deviceId, text);
  }
}
