import { freshCredentials } from '../accounts/users';
import {
  type Device,
  NO_CONTACT,
  type ProfileInfo,
  type Tenant,
  type User,
  type UserCredentials,
} from '../devices/model';

/** Records as an earlier version wrote them, in the form of today. What has that form already stays as it is. */

/** What a user's record said of how he gets in before there were records of credentials. */
interface FormerUser {
  readonly enabled?: boolean;
  readonly passwordHash?: string | null;
}

const ADDED_TO_TENANTS: Partial<Tenant> = { ...NO_CONTACT, region: null, additionalInfo: null };
const ADDED_TO_USERS: Partial<User> = { phone: null, additionalInfo: null };
/**
 * JSON also where the profile data say PROTOBUF: that version served JSON to such devices, and they would be lost from one moment to
 * the next. The schemas hold from the next time that the profile is saved.
 */
const ADDED_TO_PROFILES: Partial<ProfileInfo> = {
  coapDeviceType: 'DEFAULT',
  payloadType: 'JSON',
  firmwareId: null,
  softwareId: null,
};
const ADDED_TO_DEVICES: Partial<Device> = { firmwareId: null, softwareId: null };

export const currentTenant = (record: Tenant): Tenant => ({ ...ADDED_TO_TENANTS, ...record });

export function currentUser(record: User): User {
  const { enabled: _, passwordHash: __, ...user } = record as User & FormerUser;
  return { ...ADDED_TO_USERS, ...user };
}

/** What the record itself says of how its user gets in; undefined where it says nothing. */
export function credentialsWithin(record: User): UserCredentials | undefined {
  const { enabled = true, passwordHash } = record as User & FormerUser;
  return passwordHash === undefined ? undefined : { ...freshCredentials(record.id), enabled, passwordHash };
}

export function currentProfile<T extends Partial<ProfileInfo>>(record: T): T {
  const { profileData: _, ...profile } = record as T & { readonly profileData?: unknown };
  return { ...ADDED_TO_PROFILES, ...profile } as T;
}

/** JSON text of the `profileData` that stands in the profile's own record; undefined where none does. */
export function profileDataWithin(record: object): string | undefined {
  const { profileData } = record as { readonly profileData?: unknown };
  return profileData === undefined ? undefined : JSON.stringify(profileData);
}

export const currentDevice = <T extends Partial<Device>>(record: T): T => ({ ...ADDED_TO_DEVICES, ...record });
