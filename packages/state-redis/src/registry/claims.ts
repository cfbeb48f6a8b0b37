import { type Claim, type ClaimStore, type Device, NULL_UUID, type Uuid, type Written } from '@tandem/core';
import { Commit } from './commit';
import type { Devices } from './devices';
import { at, type RegistryReader } from './reader';
import { parseDevice, parseRecord } from './records';
import type { RegistryWriter } from './writer';

/** Claims are in the registry, beside the devices: giving a device away uses its claim up in the same step. */
export class RedisClaims implements ClaimStore {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly devices: Devices,
  ) {}

  async register(deviceId: Uuid, claim: Claim, now: number): Promise<boolean> {
    const written = await this.writer.write(async () => {
      const [deviceText, text] = await this.reader.read(['devices', at(deviceId)], ['claims', at(deviceId)]);
      const device = parseDevice(deviceText, undefined);
      const there = parseRecord<Claim>(text);
      if (device?.customerId !== NULL_UUID || (there && there.expirationTime > now)) return 'ABSENT';
      const commit = new Commit()
        .unchanged('devices', deviceId, deviceText)
        .unchanged('claims', deviceId, text)
        .set('claims', deviceId, textOf(claim));
      return { value: undefined, commit };
    });
    return written.ok;
  }

  async get(deviceId: Uuid): Promise<Claim | undefined> {
    const [text] = await this.reader.read(['claims', at(deviceId)]);
    return parseRecord<Claim>(text);
  }

  async discard(deviceId: Uuid, claim: Claim): Promise<boolean> {
    const commit = new Commit().unchanged('claims', deviceId, textOf(claim), 'ABSENT').remove('claims', deviceId);
    return (await this.writer.commit(commit)) === undefined;
  }

  assign(device: Device, claim?: Claim): Promise<Written<Device>> {
    return this.devices.update(device, (commit) => {
      if (claim) commit.unchanged('claims', device.id, textOf(claim), 'VERSION');
      commit.remove('claims', device.id);
    });
  }
}

/** The same text for the same claim: it is compared. */
const textOf = ({ secretHash, expirationTime }: Claim): string => JSON.stringify({ secretHash, expirationTime });
