import {
  type Conflict,
  credentialsHash,
  type DeviceCredentials,
  type ResolvedDevice,
  type SealedRecords,
  type Uuid,
  type Written,
} from '@tandem/core';
import { Commit } from './commit';
import { at, foundBy, headOf, type RegistryReader } from './reader';
import { parseCredentials, parseDevice, parseProfile } from './records';
import type { RegistryWriter } from './writer';

/** What devices present themselves with. */
export class Credentials {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly records: SealedRecords,
  ) {}

  async get(deviceId: Uuid): Promise<DeviceCredentials | undefined> {
    const [text] = await this.reader.read(['credentials', at(deviceId)]);
    return parseCredentials(this.records, deviceId, text);
  }

  update(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    const { deviceId } = credentials;
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['credentials', at(deviceId)]);
      const commit = new Commit().tell({ kind: 'credentials', deviceId });
      const value = changeCredentials(commit, this.records, text, credentials);
      return typeof value === 'string' ? value : { value, commit };
    });
  }

  /** As `DeviceStore.replaceSpoiltCredentials`. */
  replaceSpoilt(credentials: DeviceCredentials): Promise<Written<DeviceCredentials>> {
    const { deviceId, credentialsId } = credentials;
    return this.writer.write(async () => {
      const hash = credentialsHash(credentialsId);
      const [text, holder] = await this.reader.read(['credentials', at(deviceId)], ['credentials-by-hash', at(hash)]);
      if (text === undefined) return 'ABSENT';
      if (this.records.replaceableCredentials(deviceId, text)) return 'VERSION';
      if (holder !== undefined && holder !== deviceId) return 'CREDENTIALS_TAKEN';
      const commit = new Commit()
        .tell({ kind: 'credentials', deviceId })
        .unchanged('credentials', deviceId, text)
        .unchanged('credentials-by-hash', hash, holder)
        .set('credentials', deviceId, this.records.credentialsText(credentials))
        .set('credentials-by-hash', hash, deviceId);
      return { value: credentials, commit };
    });
  }

  /** One round trip: what a device's first request costs. */
  async resolve(credentialsId: string): Promise<ResolvedDevice | undefined> {
    const [, deviceRecord, credentialsRecord, profileRecord, defaultId] = await this.reader.read(
      ['credentials-by-hash', at(credentialsHash(credentialsId))],
      ['devices', foundBy(1)],
      ['credentials', foundBy(1)],
      ['profiles', headOf(2)],
      ['default-profiles', headOf(4)],
    );
    const device = parseDevice(deviceRecord, profileRecord);
    const credentials = device && parseCredentials(this.records, device.id, credentialsRecord);
    const profile = parseProfile(this.records, profileRecord, defaultId);
    // Of credentials that did not open and were replaced the hash is still there.
    if (credentials?.credentialsId !== credentialsId) return undefined;
    return device && profile ? { device, credentials, profile } : undefined;
  }
}

/**
 * Adds the change to the commit.
 * @param text what is stored
 * @returns what will be stored, or what it runs into
 */
export function changeCredentials(
  commit: Commit,
  records: SealedRecords,
  text: string | undefined,
  credentials: DeviceCredentials,
): DeviceCredentials | Conflict {
  const { deviceId, credentialsId } = credentials;
  const stored = parseCredentials(records, deviceId, text);
  if (!stored) return 'ABSENT';
  if (stored.version !== credentials.version) return 'VERSION';
  const value = { ...credentials, version: stored.version + 1 };
  commit.unchanged('credentials', deviceId, text).set('credentials', deviceId, records.credentialsText(value));
  if (stored.credentialsId !== credentialsId) {
    commit
      .absent('credentials-by-hash', credentialsHash(credentialsId), 'CREDENTIALS_TAKEN')
      .remove('credentials-by-hash', credentialsHash(stored.credentialsId))
      .set('credentials-by-hash', credentialsHash(credentialsId), deviceId);
  }
  return value;
}
