import {
  type Conflict,
  credentialsHash,
  type Device,
  type DeviceCredentials,
  type DeviceStep,
  type Logger,
  type Random,
  type SealedRecords,
  TandemError,
  type Uuid,
  type Written,
} from '@tandem/core';
import { Commit, MOVED } from './commit';
import { changeCredentials } from './credentials';
import type { DeviceBirths } from './device-births';
import type { DevicePurge } from './device-purge';
import { referTo } from './package-uses';
import { at, foundBy, headOf, type RegistryReader, type Step } from './reader';
import { deviceText, parseCredentials, parseDevice } from './records';
import { nameField } from './tables';
import type { RegistryWriter } from './writer';

const EPOCH_BYTES = 6;

/** Devices and their names, and the beginning and end of what they have in slots of their own. */
export class Devices {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly births: DeviceBirths,
    private readonly purge: DevicePurge,
    private readonly records: SealedRecords,
    private readonly random: Random,
    private readonly logger: Logger,
  ) {}

  async create(device: Device, credentials: DeviceCredentials, max = 0): Promise<Written<Device>> {
    const { id, deviceProfileId } = device;
    const limited = max > 0 ? await this.reader.profilesOf(device.tenantId) : [];
    const epoch = this.random.bytes(EPOCH_BYTES).toString('hex');
    const hash = credentialsHash(credentials.credentialsId);
    const commit = new Commit()
      .absent('purges', id, MOVED)
      .absent('removals', device.tenantId, 'ABSENT')
      .absent('removals', device.customerId, 'ABSENT')
      .present('profiles', deviceProfileId, 'ABSENT')
      .absent('device-names', nameField(device), 'NAME_TAKEN')
      .absent('credentials-by-hash', hash, 'CREDENTIALS_TAKEN')
      .absent('devices', id, 'VERSION');
    if (max > 0) commit.below('profile-uses', limited, max, 'LIMIT');
    commit
      .set('devices', id, deviceText(device))
      .set('device-names', nameField(device), id)
      .set('credentials', id, this.records.credentialsText({ ...credentials, deviceId: id }))
      .set('credentials-by-hash', hash, id)
      .set('epochs', id, epoch)
      .add('profile-uses', deviceProfileId, 1)
      .tell({ kind: 'created', deviceId: id });
    referTo(commit, undefined, device);
    const written = await this.writer.write(async (attempt) => {
      if (attempt > 1) await this.purge.finish(id);
      return { value: device, commit };
    });
    if (written.ok) await this.#afterwards('begun', id, () => this.births.begin(id, epoch));
    return written;
  }

  /** @param also adds to the commit what else belongs to it, or says what that runs into */
  update(
    device: Device,
    also: (commit: Commit) => Promise<Conflict | undefined> = async () => undefined,
  ): Promise<Written<Device>> {
    return this.writer.write(async () => {
      const commit = new Commit().tell({ kind: 'device', deviceId: device.id });
      const value = await this.#change(commit, device);
      if (typeof value === 'string') return value;
      return (await also(commit)) ?? { value, commit };
    });
  }

  updateWithCredentials(device: Device, credentials: DeviceCredentials): Promise<Written<Device>> {
    const { id } = device;
    return this.writer.write(async () => {
      const commit = new Commit().tell({ kind: 'credentials', deviceId: id });
      const value = await this.#change(commit, device);
      if (typeof value === 'string') return value;
      const [text] = await this.reader.read(['credentials', at(id)]);
      const changed = changeCredentials(commit, this.records, text, { ...credentials, deviceId: id });
      return typeof changed === 'string' ? changed : { value, commit };
    });
  }

  async delete(id: Uuid): Promise<Written<Device>> {
    let ended = '';
    const plan = async () => {
      const [text, profile, credentialsText, epoch = ''] = await this.reader.read(
        ['devices', at(id)],
        ['profiles', headOf(1)],
        ['credentials', at(id)],
        ['epochs', at(id)],
      );
      const stored = parseDevice(text, profile);
      if (!stored) return 'ABSENT' as const;
      ended = epoch;
      const commit = new Commit()
        .unchanged('devices', id, text)
        .unchanged('credentials', id, credentialsText)
        .set('purges', id, epoch)
        .remove('devices', id)
        .remove('device-names', nameField(stored))
        .remove('credentials', id)
        .remove('epochs', id)
        .remove('claims', id)
        .add('profile-uses', stored.deviceProfileId, -1)
        .tell({ kind: 'deleted', deviceId: id });
      const credentials = this.#credentialsIfSound(id, credentialsText);
      referTo(commit, stored);
      if (credentials) commit.remove('credentials-by-hash', credentialsHash(credentials.credentialsId));
      return { value: stored, commit };
    };
    return this.writer.write(plan, () => this.#afterwards('cleared away', id, () => this.purge.run(id, ended)));
  }

  /** What is spoilt must not keep the device from being deleted: only the hash stays, which finds nothing then. */
  #credentialsIfSound(deviceId: Uuid, text: string | undefined): DeviceCredentials | undefined {
    try {
      return parseCredentials(this.records, deviceId, text);
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'INTERNAL') throw error;
      this.logger.error('a device is deleted whose credentials do not open', { deviceId, error: String(error) });
      return undefined;
    }
  }

  get(id: Uuid): Promise<Device | undefined> {
    return this.#follow(['devices', at(id)], 1);
  }

  findByName(tenantId: Uuid, name: string): Promise<Device | undefined> {
    return this.#follow(['device-names', at(nameField({ tenantId, name }))], 2);
  }

  async ofProfile(profileId: Uuid, cursor: string, limit: number): Promise<DeviceStep> {
    const [next, profile, ...texts] = await this.reader.devicesOfProfile(profileId, cursor, limit);
    return { devices: texts.flatMap((text) => parseDevice(text, profile) ?? []), cursor: next ?? '' };
  }

  /**
   * Adds the change to the commit.
   * @returns the device as it will be, or what the change runs into
   */
  async #change(commit: Commit, device: Device): Promise<Device | Conflict> {
    const { id, deviceProfileId } = device;
    const [text, profile, former] = await this.reader.read(
      ['devices', at(id)],
      ['profiles', at(deviceProfileId)],
      ['profiles', headOf(1)],
    );
    const stored = parseDevice(text, former);
    if (!stored) return 'ABSENT';
    if (stored.version !== device.version) return 'VERSION';
    const next = { ...device, version: stored.version + 1 };
    const record = deviceText(next);
    commit.unchanged('devices', id, text).present('profiles', deviceProfileId, 'ABSENT').set('devices', id, record);
    if (stored.customerId !== next.customerId) commit.absent('removals', next.customerId, 'ABSENT');
    if (nameField(stored) !== nameField(next)) {
      commit
        .absent('device-names', nameField(next), 'NAME_TAKEN')
        .remove('device-names', nameField(stored))
        .set('device-names', nameField(next), id);
    }
    if (stored.deviceProfileId !== deviceProfileId) {
      commit.add('profile-uses', stored.deviceProfileId, -1).add('profile-uses', deviceProfileId, 1);
    }
    referTo(commit, stored, next);
    return parseDevice(record, profile) ?? next;
  }

  /** What else there is to do about a write that is made, and stays so: where it fails now it is taken up later. */
  async #afterwards(what: string, deviceId: Uuid, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { code, message } = TandemError.from(error);
      const level = code === 'STORE_UNAVAILABLE' ? 'warn' : 'error';
      this.logger[level](`a device could not be ${what} yet`, { deviceId, error: message });
    }
  }

  /** @param step that finds the device */
  async #follow(first: Step, step: 1 | 2): Promise<Device | undefined> {
    const steps: Step[] = step === 1 ? [first] : [first, ['devices', foundBy(1)]];
    const found = await this.reader.read(...steps, ['profiles', headOf(step)]);
    return parseDevice(found[step - 1], found[step]);
  }
}
