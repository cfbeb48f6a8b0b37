import {
  type Claim,
  type ClaimStore,
  type Device,
  type EpochMillis,
  NULL_UUID,
  type SealedRecords,
  type Uuid,
  type Written,
} from '@tandem/core';
import type { EmbeddedDevices } from './device-store';
import { get } from './entity-rows';
import type { Environment } from './environment';
import type { Transactions } from './transactions';

export class EmbeddedClaims implements ClaimStore {
  constructor(
    private readonly env: Pick<Environment, 'claims' | 'devices'>,
    private readonly transactions: Transactions,
    private readonly devices: Pick<EmbeddedDevices, 'updateWith'>,
    private readonly records: SealedRecords,
  ) {}

  register(deviceId: Uuid, claim: Claim, now: EpochMillis): Promise<boolean> {
    return this.transactions.run(() => {
      const there = this.#get(deviceId);
      const device = get<Device>(this.env.devices, deviceId);
      if (device?.customerId !== NULL_UUID || (there && there.expirationTime > now)) return false;
      this.env.claims.put(deviceId, this.records.claimText(deviceId, claim));
      return true;
    });
  }

  async get(deviceId: Uuid): Promise<Claim | undefined> {
    return this.#get(deviceId);
  }

  discard(deviceId: Uuid, claim: Claim): Promise<boolean> {
    return this.transactions.run(() => {
      if (!this.#is(deviceId, claim)) return false;
      this.env.claims.remove(deviceId);
      return true;
    });
  }

  assign(device: Device, claim?: Claim): Promise<Written<Device>> {
    return this.devices.updateWith(device, {
      conflict: () => (claim && !this.#is(device.id, claim) ? 'VERSION' : undefined),
      write: () => void this.env.claims.remove(device.id),
    });
  }

  #get(deviceId: Uuid): Claim | undefined {
    const text = this.env.claims.get(deviceId);
    return text === undefined ? undefined : this.records.claim(deviceId, text);
  }

  #is(deviceId: Uuid, { secretHash, expirationTime }: Claim): boolean {
    const there = this.#get(deviceId);
    return there?.secretHash === secretHash && there.expirationTime === expirationTime;
  }
}
