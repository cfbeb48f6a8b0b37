import {
  credentialsHash,
  type DeviceProfile,
  type Page,
  type ProfileInfo,
  type ProfileQuery,
  page,
  type SealedRecords,
  type Uuid,
  type Written,
} from '@tandem/core';
import { Commit } from './commit';
import { inOrderOf } from './names';
import { referTo } from './package-uses';
import { at, foundBy, headOf, type RegistryReader, type Step } from './reader';
import { parseProfile, parseProfileData, profileText, tenantIdOf } from './records';
import { nameField } from './tables';
import type { RegistryWriter } from './writer';

/** Device profiles, their names and provision keys, and which is the default of its tenant. */
export class Profiles {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly records: SealedRecords,
  ) {}

  create(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    const { id, tenantId, isDefault } = profile;
    const commit = new Commit()
      .absent('removals', tenantId, 'ABSENT')
      .absent('profile-names', nameField(profile), 'NAME_TAKEN')
      .absent('profiles', id, 'VERSION')
      .set('profiles', id, profileText(this.records, profile))
      .set('profile-data', id, this.records.profileDataText(id, profile.profileData))
      .set('profile-names', nameField(profile), id);
    takeProvisionKey(commit, profile);
    referTo(commit, undefined, profile);
    if (isDefault) commit.set('default-profiles', tenantId, id);
    return this.writer.write(async () => ({ value: profile, commit }));
  }

  update(profile: DeviceProfile): Promise<Written<DeviceProfile>> {
    const { id } = profile;
    return this.writer.write(async () => {
      const { text, defaultId, stored } = await this.#stored(id);
      if (!stored) return 'ABSENT';
      if (stored.version !== profile.version) return 'VERSION';
      const isDefault = profile.isDefault || stored.isDefault;
      const value = { ...profile, isDefault, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('profiles', id, text)
        .unchanged('default-profiles', stored.tenantId, defaultId)
        .set('profiles', id, profileText(this.records, value))
        .set('profile-data', id, this.records.profileDataText(id, value.profileData))
        .tell({ kind: 'profile', profileId: id });
      if (nameField(stored) !== nameField(value)) {
        commit
          .absent('profile-names', nameField(value), 'NAME_TAKEN')
          .remove('profile-names', nameField(stored))
          .set('profile-names', nameField(value), id);
      }
      if (stored.provisionDeviceKey !== value.provisionDeviceKey) {
        dropProvisionKey(commit, stored);
        takeProvisionKey(commit, value);
      }
      if (stored.transportType !== value.transportType) commit.zero('profile-uses', id, 'IN_USE');
      referTo(commit, stored, value);
      if (isDefault) commit.set('default-profiles', value.tenantId, id);
      return { value, commit };
    });
  }

  delete(id: Uuid): Promise<Written<DeviceProfile>> {
    return this.writer.write(async () => {
      const { text, defaultId, stored, profileData } = await this.#stored(id);
      if (!stored || profileData === undefined) return 'ABSENT';
      const commit = new Commit()
        .zero('profile-uses', id, 'IN_USE')
        .unchanged('profiles', id, text)
        .unchanged('default-profiles', stored.tenantId, defaultId)
        .remove('profiles', id)
        .remove('profile-data', id)
        .remove('profile-names', nameField(stored))
        .tell({ kind: 'profile', profileId: id });
      dropProvisionKey(commit, stored);
      referTo(commit, stored);
      if (stored.isDefault) commit.remove('default-profiles', stored.tenantId);
      return { value: { ...stored, profileData }, commit };
    });
  }

  async get(id: Uuid): Promise<DeviceProfile | undefined> {
    const { stored, profileData } = await this.#stored(id);
    return stored && profileData !== undefined ? { ...stored, profileData } : undefined;
  }

  async getInfo(id: Uuid): Promise<ProfileInfo | undefined> {
    const [text, defaultId] = await this.reader.read(['profiles', at(id)], ['default-profiles', headOf(1)]);
    return parseProfile(this.records, text, defaultId);
  }

  findByName(tenantId: Uuid, name: string): Promise<ProfileInfo | undefined> {
    return this.#follow(['profile-names', at(nameField({ tenantId, name }))]);
  }

  findDefault(tenantId: Uuid): Promise<ProfileInfo | undefined> {
    return this.#follow(['default-profiles', at(tenantId)]);
  }

  async findByProvisionKey(key: string): Promise<DeviceProfile | undefined> {
    const [, text, defaultId, dataText] = await this.reader.read(
      ['profiles-by-provision-key', at(credentialsHash(key))],
      ['profiles', foundBy(1)],
      ['default-profiles', headOf(2)],
      ['profile-data', foundBy(1)],
    );
    const [info, profileData] = [
      parseProfile(this.records, text, defaultId),
      parseProfileData(this.records, dataText, text),
    ];
    return info && profileData !== undefined ? { ...info, profileData } : undefined;
  }

  async list(tenantId: Uuid, query: ProfileQuery): Promise<Page<ProfileInfo>> {
    const [texts, [defaultId], uses] = await Promise.all([
      this.reader.all('profiles'),
      this.reader.read(['default-profiles', at(tenantId)]),
      query.inUse ? this.reader.all('profile-uses') : undefined,
    ]);
    const profiles = [...texts.values()]
      .filter((text) => tenantIdOf(text) === tenantId)
      .flatMap((text) => parseProfile(this.records, text, defaultId) ?? [])
      .filter(
        ({ id, transportType }) =>
          (!query.transportType || transportType === query.transportType) && (!uses || uses.has(id)),
      );
    return page(inOrderOf(profiles, 'name'), query);
  }

  async #stored(id: Uuid) {
    const [text, defaultId, dataText] = await this.reader.read(
      ['profiles', at(id)],
      ['default-profiles', headOf(1)],
      ['profile-data', at(id)],
    );
    const profileData = parseProfileData(this.records, dataText, text);
    return { text, defaultId, profileData, stored: parseProfile(this.records, text, defaultId) };
  }

  async #follow(index: Step): Promise<ProfileInfo | undefined> {
    const [, text, defaultId] = await this.reader.read(
      index,
      ['profiles', foundBy(1)],
      ['default-profiles', headOf(2)],
    );
    return parseProfile(this.records, text, defaultId);
  }
}

function takeProvisionKey(commit: Commit, { id, provisionDeviceKey }: ProfileInfo): void {
  if (!provisionDeviceKey) return;
  const hash = credentialsHash(provisionDeviceKey);
  commit.absent('profiles-by-provision-key', hash, 'PROVISION_KEY_TAKEN').set('profiles-by-provision-key', hash, id);
}

function dropProvisionKey(commit: Commit, { provisionDeviceKey }: ProfileInfo): void {
  if (provisionDeviceKey) commit.remove('profiles-by-provision-key', credentialsHash(provisionDeviceKey));
}
