import {
  type AccountStore,
  CLEAR_BOX,
  type ClaimStore,
  type Clock,
  DeviceDirectory,
  type DeviceStore,
  type Logger,
  type MetricsRegistry,
  type Millis,
  type Random,
  SealedRecords,
  type SecretBox,
  type Uuid,
} from '@tandem/core';
import type { Commands } from '../client';
import { RedisFirmware } from '../firmware/redis-firmware';
import type { Keys } from '../keys';
import { RedisAccounts } from './accounts';
import { ApiKeys } from './api-keys';
import { RedisClaims } from './claims';
import type { RegistryChange } from './commit';
import { Credentials } from './credentials';
import { Customers } from './customers';
import { DeviceBirths } from './device-births';
import { DevicePurge } from './device-purge';
import { Devices } from './devices';
import { RegistryDirectorySource } from './directory-source';
import { KeyProofs } from './key-proofs';
import { Profiles } from './profiles';
import { RegistryReader } from './reader';
import { RedisDevices } from './redis-devices';
import { Removals } from './removals';
import { SecretSeals } from './secret-seals';
import { Secrets } from './secrets';
import { SessionChanges } from './session-changes';
import { Tenants } from './tenants';
import { Users } from './users';
import type { WakeSource } from './wake-source';
import { RegistryWriter } from './writer';

export interface RegistryOptions {
  /** Of this process alone; without a space. */
  readonly processId: string;
  /** SPUBLISH on a Cluster. */
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly random: Random;
  /** What seals secrets; without it they stay as they are given. */
  readonly secretBox?: SecretBox;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  /** Wakes with `rpc` who watches the device in this process. */
  readonly wake: (deviceId: Uuid) => void;
  /** Makes an empty Redis usable again, but for the registry; what it throws makes it be tried again. */
  readonly restore?: () => Promise<void>;
  /** Devices that are kept in memory to list them. */
  readonly directoryMax: number;
  /** How often the changes of others are read, told or not. */
  readonly changesInterval?: Millis;
  /** How long a change of sessions waits for other processes to hear of it; 0 = not at all. */
  readonly changeWait: Millis;
  /** How often it is looked whether a process died over a deletion or an upload. */
  readonly purgeInterval?: Millis;
}

/** Devices, credentials, profiles, tenants, customers, users and secrets, in one slot (adr/0011). */
export class Registry {
  readonly accounts: AccountStore;
  readonly devices: DeviceStore;
  readonly claims: ClaimStore;
  readonly births: DeviceBirths;
  readonly changes: SessionChanges;
  readonly purge: DevicePurge;
  readonly firmware: RedisFirmware;
  readonly #directory: DeviceDirectory;
  readonly #records: SealedRecords;
  readonly #seals: SecretSeals;
  readonly #secrets: Secrets;

  constructor(commands: Commands, keys: Keys, wakes: WakeSource, options: RegistryOptions) {
    const { random, logger, secretBox = CLEAR_BOX } = options;
    this.#records = new SealedRecords(secretBox);
    const reader = new RegistryReader(commands, keys);
    this.births = new DeviceBirths(commands, keys, reader);
    this.changes = new SessionChanges(commands, keys, wakes, {
      ...options,
      restore: async () => {
        await this.#seals.proveKeys();
        await options.restore?.();
      },
      interval: options.changesInterval,
      wait: options.changeWait,
    });
    const keyProofs = new KeyProofs(reader, secretBox, options);
    const writer = new RegistryWriter(commands, keys, this.changes, { ...options, keyProofs });
    this.#seals = new SecretSeals({ reader, writer, keyProofs, records: this.#records, box: secretBox, logger });
    this.#secrets = new Secrets(reader, writer, this.#records, random);
    this.purge = new DevicePurge(commands, keys, reader, writer, { ...options, interval: options.purgeInterval });
    this.accounts = new RedisAccounts({
      tenants: new Tenants(reader, writer),
      customers: new Customers(reader, writer),
      users: new Users(reader, writer, this.#records),
      apiKeys: new ApiKeys(reader, writer),
      removals: new Removals(reader, writer),
      changes: this.changes,
    });
    this.firmware = new RedisFirmware(commands, keys, reader, writer, { ...options, interval: options.purgeInterval });
    this.#directory = new DeviceDirectory(new RegistryDirectorySource(reader, this.changes), {
      ...options,
      maxDevices: options.directoryMax,
    });
    this.changes.onChange((change) => this.#toDirectory(change));
    const devices = new Devices(reader, writer, this.births, this.purge, this.#records, random, logger);
    this.claims = new RedisClaims(reader, writer, devices, this.#records);
    this.devices = new RedisDevices({
      directory: this.#directory,
      profiles: new Profiles(reader, writer, this.#records),
      devices,
      credentials: new Credentials(reader, writer, this.#records),
      changes: this.changes,
    });
  }

  /** Resolves when it hears the changes of others. @throws SecretKeyError */
  async start(): Promise<void> {
    await this.#seals.proveKeys();
    await this.changes.start();
    this.purge.start();
    this.firmware.start();
  }

  /** Before the commands are closed. */
  async close(): Promise<void> {
    this.#directory.close();
    await Promise.all([this.changes.close(), this.purge.close(), this.firmware.close()]);
  }

  /** Shared by all processes of the store, made once. */
  secret(name: string): Promise<Buffer> {
    return this.#secrets.get(name);
  }

  /** As `State.sealSecrets`. */
  sealSecrets(): Promise<number> {
    return this.#seals.seal();
  }

  /** Heard when a Redis that lost everything can be written again. */
  onReset(listener: () => void): () => void {
    return this.changes.onReset(listener);
  }

  #toDirectory(change: RegistryChange): void {
    switch (change.kind) {
      case 'created':
      case 'device':
      case 'credentials':
      case 'deleted':
        this.#directory.deviceChanged(change.deviceId);
        break;
      case 'profile':
        this.#directory.profileChanged(change.profileId);
        break;
      case 'missed':
        this.#directory.forget();
    }
  }
}
