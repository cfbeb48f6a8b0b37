import { createHash } from 'node:crypto';
import type { Attributes } from '../attributes/attributes';
import { isSameSecret } from '../auth/same-secret';
import type { DeviceProfile } from '../devices/model';
import type { NewDevices } from '../devices/new-devices';
import { TandemError } from '../errors';
import { type KeyValue, stringValue } from '../payload/value';
import type { Clock, Millis } from '../platform/clock';
import type { DeviceStore } from '../state/device-store';
import type { ProvisionOutcome } from './provision-outcome';
import type { ProvisionRequest } from './provision-request';

/** The SERVER attribute of a device that has been provisioned (contract 5.3). */
export const PROVISIONED: KeyValue = { key: 'provisionState', value: stringValue('provisioned') };
/** What a device has that has said something since. */
const USED = 'lastActivityTime';
/** Until then the request that has made the device may be under way, and undo it. */
const UNDER_WAY: Millis = 30_000;
const RETRY: Millis = 1_000;

export interface UnfinishedParts {
  readonly store: Pick<DeviceStore, 'findDeviceByName' | 'getCredentials'>;
  readonly newDevices: Pick<NewDevices, 'complete'>;
  readonly attributes: Pick<Attributes, 'read' | 'saveServerIfAbsent'>;
  readonly clock: Clock;
}

/**
 * Devices whose process died after they were made and before that was known of them: nobody was told their credentials. Whoever
 * repeats the request that made one, member by member, gets it. One that was made in another way is nobody's to take, nor is
 * one whose credentials were changed or that has been used.
 */
export class UnfinishedDevices {
  constructor(private readonly parts: UnfinishedParts) {}

  /**
   * @returns undefined where there is none of this name, profile and request
   * @throws TandemError STORE_UNAVAILABLE while the request before may be under way
   */
  async finish(profile: DeviceProfile, name: string, request: ProvisionRequest): Promise<ProvisionOutcome | undefined> {
    const { store, newDevices, attributes, clock } = this.parts;
    const device = await store.findDeviceByName(profile.tenantId, name);
    if (device?.deviceProfileId !== profile.id) return undefined;
    const credentials = await store.getCredentials(device.id);
    if (credentials?.version !== 1 || !isSameSecret(requestHash(request), credentials.provisionRequest ?? '')) {
      return undefined;
    }
    if ((await attributes.read(device.id, 'SERVER', [PROVISIONED.key, USED])).length > 0) return undefined;
    if (clock.now() < device.createdTime + UNDER_WAY) {
      throw new TandemError('STORE_UNAVAILABLE', { message: 'The device is being provisioned', retryAfter: RETRY });
    }
    await newDevices.complete(device);
    if (!(await attributes.saveServerIfAbsent(device.id, PROVISIONED))) return undefined;
    return { status: 'SUCCESS', deviceId: device.id, credentials };
  }
}

/** By what the same request is known: all that it says of the device. Key and secret say which profile, and may change. */
export function requestHash(request: ProvisionRequest): string {
  const { deviceName, credentialsType, token, clientId, userName, password, hash, gateway } = request;
  const said = [deviceName.trim(), credentialsType, token, clientId, userName, password, hash, gateway];
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url');
}
