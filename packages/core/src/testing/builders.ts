import { randomUUID } from 'node:crypto';
import { credentialsHash } from '../auth/credentials-hash';
import {
  type ApiKey,
  type Customer,
  type Device,
  type DeviceCredentials,
  type DeviceProfile,
  NO_CONTACT,
  NULL_UUID,
  type Tenant,
  type User,
  type UserCredentials,
} from '../devices/model';
import { NO_FILE, type OtaPackage } from '../firmware/model';
import { type KeyValue, trustedValue } from '../payload/value';
import type { NewRpc } from '../state/rpc-store';
import type { TelemetryEntry } from '../state/telemetry-log';
import { encodeRecords } from '../telemetry/record-lines';

/** The tenant of everything that names no other. */
export const TENANT_ID = '7f1d2f10-0000-4000-8000-000000000001';
export const CREATED = 1_700_000_000_000;

let built = 0;
const unique = (what: string) => `${what}-${++built}`;

export const aTenant = (given: Partial<Tenant> = {}): Tenant => ({
  ...NO_CONTACT,
  id: randomUUID(),
  createdTime: CREATED,
  title: unique('tenant'),
  region: null,
  additionalInfo: null,
  version: 1,
  ...given,
});

export const aCustomer = (given: Partial<Customer> = {}): Customer => ({
  ...NO_CONTACT,
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: TENANT_ID,
  title: unique('customer'),
  additionalInfo: null,
  version: 1,
  ...given,
});

export const aUser = (given: Partial<User> = {}): User => ({
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: TENANT_ID,
  customerId: NULL_UUID,
  email: `${unique('user')}@example.org`,
  authority: 'TENANT_ADMIN',
  firstName: null,
  lastName: null,
  phone: null,
  additionalInfo: null,
  version: 1,
  ...given,
});

export const userCredentialsOf = ({ id }: Pick<User, 'id'>, given: Partial<UserCredentials> = {}): UserCredentials => ({
  userId: id,
  enabled: true,
  passwordHash: null,
  activation: null,
  generation: 1,
  endedSessions: [],
  version: 1,
  ...given,
});

export const anApiKey = (user: Pick<User, 'id' | 'tenantId'>, given: Partial<ApiKey> = {}): ApiKey => ({
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: user.tenantId,
  userId: user.id,
  description: unique('key'),
  enabled: true,
  expirationTime: 0,
  valueHash: credentialsHash(unique('value')),
  version: 1,
  ...given,
});

export const aProfile = (given: Partial<DeviceProfile> = {}): DeviceProfile => ({
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: TENANT_ID,
  name: unique('profile'),
  description: null,
  isDefault: false,
  transportType: 'DEFAULT',
  provisionType: 'DISABLED',
  provisionDeviceKey: null,
  coapDeviceType: 'DEFAULT',
  payloadType: 'JSON',
  profileData: '{"configuration":{"type":"DEFAULT"},"transportConfiguration":{"type":"DEFAULT"}}',
  firmwareId: null,
  softwareId: null,
  version: 1,
  ...given,
});

/** A device of the profile: its tenant and, as type, its name. */
export const aDevice = (profile: DeviceProfile, given: Partial<Device> = {}): Device => ({
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: profile.tenantId,
  customerId: NULL_UUID,
  name: unique('device'),
  type: profile.name,
  label: null,
  deviceProfileId: profile.id,
  additionalInfo: null,
  firmwareId: null,
  softwareId: null,
  version: 1,
  ...given,
});

/** An access token for the device. */
export const credentialsOf = (device: Device, given: Partial<DeviceCredentials> = {}): DeviceCredentials => ({
  id: randomUUID(),
  createdTime: CREATED,
  deviceId: device.id,
  credentialsType: 'ACCESS_TOKEN',
  credentialsId: unique('token'),
  credentialsValue: null,
  version: 1,
  ...given,
});

/** A firmware package of the profile, without data. */
export const aPackage = (given: Partial<OtaPackage> = {}): OtaPackage => ({
  id: randomUUID(),
  createdTime: CREATED,
  tenantId: TENANT_ID,
  deviceProfileId: null,
  type: 'FIRMWARE',
  title: unique('package'),
  version: '1.0',
  tag: null,
  url: null,
  additionalInfo: null,
  dataId: null,
  revision: 1,
  ...NO_FILE,
  ...given,
});

/** A two-way command that waits for a minute. */
export const aCommand = (device: Device, given: Partial<NewRpc> = {}): NewRpc => ({
  id: randomUUID(),
  tenantId: device.tenantId,
  deviceId: device.id,
  createdTime: CREATED,
  expirationTime: CREATED + 60_000,
  oneway: false,
  persistent: false,
  method: 'setGpio',
  params: '{"pin":23}',
  retries: null,
  additionalInfo: null,
  ...given,
});

/** `{key: canonical value text}` as entries, in order. */
export const entriesOf = (values: Readonly<Record<string, string>>): KeyValue[] =>
  Object.entries(values).map(([key, text]) => ({ key, value: trustedValue(text) }));

/** One message with one record. */
export const aMessage = (
  device: Pick<Device, 'id'>,
  ts: number,
  values: Readonly<Record<string, string>>,
): TelemetryEntry => ({ deviceId: device.id, lines: encodeRecords([{ ts, values: entriesOf(values) }]) });
