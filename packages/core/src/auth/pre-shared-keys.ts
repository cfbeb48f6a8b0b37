import type { DeviceStore } from '../state/device-store';
import type { CredentialsStamp } from './device-session';

export interface PreSharedKey {
  /** A secret: never into a log line. */
  readonly key: Buffer;
  /** Which credentials it is of: others may have the same identity later. */
  readonly credentials: CredentialsStamp;
}

/**
 * The key of a device with credentials of the type PSK, as it is now: nothing is remembered, so a key that was taken away is never
 * taken again.
 * @throws TandemError STORE_UNAVAILABLE
 */
export async function findPreSharedKey(
  devices: Pick<DeviceStore, 'resolveCredentials'>,
  identity: string,
): Promise<PreSharedKey | undefined> {
  const credentials = (await devices.resolveCredentials(identity))?.credentials;
  if (credentials?.credentialsType !== 'PSK' || credentials.credentialsValue === null) return undefined;
  const { id, version, credentialsValue } = credentials;
  return { key: Buffer.from(credentialsValue, 'hex'), credentials: { id, version } };
}
