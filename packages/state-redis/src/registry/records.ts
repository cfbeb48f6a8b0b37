import {
  type ApiKey,
  credentialsWithin,
  currentDevice,
  currentProfile,
  currentTenant,
  currentUser,
  type Device,
  type DeviceCredentials,
  type DeviceProfile,
  type ProfileInfo,
  profileDataWithin,
  type SealedRecords,
  type StoredProfile,
  type Tenant,
  type User,
  type UserCredentials,
  type Uuid,
} from '@tandem/core';

/**
 * How entities are written down: as JSON, without what is known from another table, and behind the one id that a script
 * has to find in them. So renaming a profile, or making another one the default, is one write whatever refers to it.
 * What an earlier version wrote is read as of today, and written so with its next change. What is secret is sealed where
 * there is a key (adr/0039).
 */

const HEAD = 36;

type ProfileRecord = Omit<ProfileInfo, 'isDefault'>;
type StoredProfileRecord = StoredProfile<ProfileRecord>;

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

export const parseCredentials = (
  records: SealedRecords,
  deviceId: Uuid,
  text: string | undefined,
): DeviceCredentials | undefined => (text === undefined ? undefined : records.credentials(deviceId, text));

/** @param userText record of the user, which says it where an earlier version wrote it */
export function parseUserCredentials(
  records: SealedRecords,
  userId: Uuid,
  text: string | undefined,
  userText: string | undefined,
): UserCredentials | undefined {
  if (text !== undefined) return records.userCredentials(userId, text);
  const record = parseRecord<User>(userText);
  return record && credentialsWithin(record);
}

/** `<profile id> <JSON>`. The `type` is the name of the profile. */
export function deviceText({ type: _, ...device }: Device): string {
  return `${device.deviceProfileId} ${JSON.stringify(device)}`;
}

/** @param profile text of the profile it refers to */
export function parseDevice(text: string | undefined, profile: string | undefined): Device | undefined {
  return text === undefined ? undefined : deviceOf(text, profileNameOf(profile) ?? '');
}

/** @param type name of the profile it refers to */
export const deviceOf = (text: string, type: string): Device => ({
  ...currentDevice(JSON.parse(text.slice(HEAD + 1)) as Omit<Device, 'type'>),
  type,
});

export const profileIdOf = (deviceRecord: string): Uuid => deviceRecord.slice(0, HEAD);

/** `<tenant id> <JSON>`. Whether it is the default, and its data, stand in tables of their own. */
export function profileText(
  records: SealedRecords,
  { isDefault: _, profileData: __, ...profile }: DeviceProfile,
): string {
  return storedProfileText(records.storedProfile(profile));
}

export const parseStoredProfile = (text: string | undefined): StoredProfileRecord | undefined =>
  parseBehindHead<StoredProfileRecord>(text);

const storedProfileText = (profile: StoredProfileRecord): string => `${profile.tenantId} ${JSON.stringify(profile)}`;

/** The text of the profile as it would be written now; undefined where it stands like that already. */
export function renewedProfileText(records: SealedRecords, stored: StoredProfileRecord): string | undefined {
  const opened = records.profile<ProfileRecord>(stored);
  if (profileDataWithin(stored) === undefined && records.isProfileSealedNow(stored)) return undefined;
  const profile = currentProfile(opened);
  return storedProfileText(records.storedProfile(profile));
}

export const tenantIdOf = (profileRecord: string): Uuid => profileRecord.slice(0, HEAD);

export const profileNameOf = (text: string | undefined): string | undefined => parseStoredProfile(text)?.name;

/** @param defaultId id of the default profile of its tenant */
export function parseProfile(
  records: SealedRecords,
  text: string | undefined,
  defaultId: Uuid | undefined,
): ProfileInfo | undefined {
  const stored = parseStoredProfile(text);
  return stored && { ...currentProfile(records.profile<ProfileRecord>(stored)), isDefault: stored.id === defaultId };
}

/** @param text what stands in `profile-data`; without it the profile's own record says it */
export function parseProfileData(
  records: SealedRecords,
  text: string | undefined,
  profileRecord: string | undefined,
): string | undefined {
  const profile = parseStoredProfile(profileRecord);
  if (text === undefined) return profile && profileDataWithin(profile);
  return profile && records.profileData(profile.id, text);
}

const parseBehindHead = <T>(text: string | undefined): T | undefined => parseRecord<T>(text?.slice(HEAD + 1));
