import {
  type ApiKey,
  credentialsWithin,
  currentDevice,
  currentProfile,
  currentTenant,
  currentUser,
  type Device,
  type DeviceProfile,
  type ProfileInfo,
  profileDataWithin,
  type Tenant,
  type User,
  type UserCredentials,
  type Uuid,
} from '@tandem/core';

/**
 * How entities are written down: as JSON, without what is known from another table, and behind the one id that a script
 * has to find in them. So renaming a profile, or making another one the default, is one write whatever refers to it.
 * What an earlier version wrote is read as of today, and written so with its next change.
 */

const HEAD = 36;

export const parseRecord = <T>(text: string | undefined): T | undefined =>
  text === undefined ? undefined : (JSON.parse(text) as T);

export const parseApiKey = (text: string | undefined): ApiKey | undefined => parseRecord<ApiKey>(text);

export function parseTenant(text: string | undefined): Tenant | undefined {
  const record = parseRecord<Tenant>(text);
  return record && currentTenant(record);
}

export function parseUser(text: string | undefined): User | undefined {
  const record = parseRecord<User>(text);
  return record && currentUser(record);
}

/** @param userText record of the user, which says it where an earlier version wrote it */
export function parseUserCredentials(
  text: string | undefined,
  userText: string | undefined,
): UserCredentials | undefined {
  if (text !== undefined) return parseRecord<UserCredentials>(text);
  const record = parseRecord<User>(userText);
  return record && credentialsWithin(record);
}

/** `<profile id> <JSON>`. The `type` is the name of the profile. */
export function deviceText({ type: _, ...device }: Device): string {
  return `${device.deviceProfileId} ${JSON.stringify(device)}`;
}

/** @param profile text of the profile it refers to */
export function parseDevice(text: string | undefined, profile: string | undefined): Device | undefined {
  return text === undefined ? undefined : deviceOf(text, parseBehindHead<ProfileInfo>(profile)?.name ?? '');
}

/** @param type name of the profile it refers to */
export const deviceOf = (text: string, type: string): Device => ({
  ...currentDevice(JSON.parse(text.slice(HEAD + 1)) as Omit<Device, 'type'>),
  type,
});

export const profileIdOf = (deviceRecord: string): Uuid => deviceRecord.slice(0, HEAD);

/** `<tenant id> <JSON>`. Whether it is the default, and its data, stand in tables of their own. */
export function profileText({ isDefault: _, profileData: __, ...profile }: DeviceProfile): string {
  return `${profile.tenantId} ${JSON.stringify(profile)}`;
}

/** @param defaultId id of the default profile of its tenant */
export function parseProfile(text: string | undefined, defaultId: Uuid | undefined): ProfileInfo | undefined {
  const profile = parseBehindHead<Omit<ProfileInfo, 'isDefault'>>(text);
  return profile && { ...currentProfile(profile), isDefault: profile.id === defaultId };
}

/** @param text what stands in `profile-data`; without it the profile's own record says it */
export function parseProfileData(text: string | undefined, profileRecord: string | undefined): string | undefined {
  const profile = text === undefined ? parseBehindHead<object>(profileRecord) : undefined;
  return profile ? profileDataWithin(profile) : text;
}

const parseBehindHead = <T>(text: string | undefined): T | undefined => parseRecord<T>(text?.slice(HEAD + 1));
