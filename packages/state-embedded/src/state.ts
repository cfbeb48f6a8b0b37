import { randomBytes } from 'node:crypto';
import {
  CLEAR_BOX,
  type Clock,
  DeviceDirectory,
  type Logger,
  MemoryFailureCounters,
  MemoryRateCounters,
  type MetricsRegistry,
  type Millis,
  type Random,
  SealedRecords,
  type SecretBox,
  type Settings,
  type State,
} from '@tandem/core';
import { EmbeddedAccounts } from './account-store';
import { EmbeddedActivity } from './activity-store';
import { EmbeddedAttributes } from './attribute-store';
import { EmbeddedClaims } from './claim-store';
import { DRAFT, removeDraft } from './compact';
import { EmbeddedFeed, type TelemetryTeller } from './device-feed';
import { EmbeddedDevices } from './device-store';
import { directorySource } from './directory-source';
import {
  closeEnvironment,
  type Durability,
  type Environment,
  openEnvironment,
  openViewEnvironment,
} from './environment';
import { EmbeddedEvents } from './event-log';
import { FirmwareFiles } from './firmware-files';
import { EmbeddedFirmware } from './firmware-store';
import { lockFolder } from './folder-lock';
import { renewFormerRows } from './former-rows';
import { FreeSpace, freeBytes } from './free-space';
import { openOwnLog, settleLog } from './log-environment';
import { WorkerMaterialiser } from './materialiser';
import { OneProcess } from './one-process';
import { PackageUses } from './package-uses';
import { EmbeddedRollouts } from './rollout-store';
import { EmbeddedRpcs } from './rpc-store';
import { proveKeys, sealSecrets, secretKey } from './seal-secrets';
import { consumedSequence, EmbeddedTelemetryLog, type LogConsumer } from './telemetry-log';
import { EmbeddedTelemetryView } from './telemetry-view';
import { Transactions } from './transactions';
import { ViewPurge } from './view-purge';
import { WakeUps } from './wake-ups';

export interface EmbeddedOptions {
  /** Made when it is not there. */
  readonly folder: string;
  readonly durability: Durability;
  /** Telemetry messages that may wait for the materialiser. */
  readonly backlogMax: number;
  /** Attribute events kept for each device. */
  readonly eventLogMax: number;
  /** Bytes that stay free on the disk; with less nothing is written. */
  readonly minFreeBytes: number;
  /** Open RPCs of one device. */
  readonly rpcMaxPending: number;
  /** Finished persistent RPCs of one device. */
  readonly rpcFinishedMax: number;
  /** Buckets of rate limits. */
  readonly rateBucketsMax: number;
  /** Devices that are kept in memory to list them. */
  readonly directoryMax: number;
  /** Telemetry keys of one device that the view takes. */
  readonly telemetryKeysMax: number;
  /** Bytes of the largest entry of the log that gets into the view; all that is accepted where left out. */
  readonly telemetryEntryMax?: number;
  /** How old points of the history may get; 0 = for ever. */
  readonly historyMaxAge: Millis;
  /** Points of a series; undefined = all. */
  readonly historyMax: number | undefined;
  /** From the end of a pass of the retention to the begin of the next. */
  readonly retentionInterval: Millis;
  /** Accounts and addresses whose failed logins are remembered. */
  readonly loginSubjectsMax: number;
  /** What seals secrets; without it they stay as they are given. */
  readonly secretBox?: SecretBox;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** The bounds of the store out of the settings: the one place that knows which is which. */
export const boundsOf = (settings: Settings) => ({
  backlogMax: settings.TANDEM_TELEMETRY_BACKLOG_MAX,
  eventLogMax: settings.TANDEM_EVENT_LOG_MAX,
  rpcMaxPending: settings.TANDEM_RPC_MAX_PENDING,
  rpcFinishedMax: settings.TANDEM_RPC_FINISHED_MAX,
  rateBucketsMax: settings.TANDEM_RATE_LIMIT_BUCKETS_MAX,
  directoryMax: settings.TANDEM_DEVICE_DIRECTORY_MAX,
  loginSubjectsMax: settings.TANDEM_LOGIN_SUBJECTS_MAX,
  minFreeBytes: settings.TANDEM_DATA_MIN_FREE_BYTES,
  telemetryKeysMax: settings.TANDEM_TELEMETRY_KEYS_MAX,
  historyMaxAge: settings.TS_KV_TTL * 1_000,
  historyMax: settings.TANDEM_HISTORY_MAX,
  retentionInterval: settings.TANDEM_RETENTION_INTERVAL,
});

/** There is no room to begin with. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
  constructor(folder: string, minFreeBytes: number) {
    super(`The disk of data folder ${folder} has less than ${minFreeBytes} bytes free`);
  }
}

const SECRET_BYTES = 64;

/** @throws FolderInUseError when another process has the folder open, DiskFullError */
export async function openEmbeddedState(options: EmbeddedOptions): Promise<State> {
  const unlock = await lockFolder(options.folder);
  if (removeDraft(options.folder)) {
    options.logger.warn(
      'the data folder was not written anew to its end: secrets in clear may still be in its free pages; stop, and run `tandem secrets seal` again',
      { removed: `${options.folder}/${DRAFT}` },
    );
  }
  let opened: ReturnType<typeof openState> | undefined;
  try {
    if (freeBytes(options.folder) < options.minFreeBytes) throw new DiskFullError(options.folder, options.minFreeBytes);
    opened = openState(options, unlock);
    await opened.resume();
    return opened.state;
  } catch (error) {
    await (opened ? opened.state.close() : unlock());
    throw error;
  }
}

function openState(
  options: EmbeddedOptions,
  unlock: () => Promise<void>,
): { state: State; resume: () => Promise<void> } {
  const env = openEnvironment(options.folder, options.durability);
  const logEnv = openOwnLog(options.folder, options.durability, options.logger);
  const view = openViewEnvironment(options.folder, options.durability);
  const box = options.secretBox ?? CLEAR_BOX;
  const records = new SealedRecords(box);
  const space = new FreeSpace(options.folder, options.minFreeBytes, (low, free) => {
    if (low)
      options.logger.error('the disk of the data folder is nearly full: nothing is written', { freeBytes: free });
    else options.logger.info('the disk of the data folder has room again', { freeBytes: free });
  });
  const transactions = new Transactions(env, space);
  const logTransactions = new Transactions(logEnv, space);
  const viewTransactions = new Transactions(view, space);
  const purge = new ViewPurge(env, view, transactions, viewTransactions);
  const wakeUps = new WakeUps(options.logger);
  const events = new EmbeddedEvents(env, transactions, wakeUps, options.eventLogMax);
  const rpcs = new EmbeddedRpcs(env, transactions, wakeUps, {
    maxPending: options.rpcMaxPending,
    maxFinished: options.rpcFinishedMax,
    metrics: options.metrics,
  });
  const teller: TelemetryTeller = {
    watch: (deviceId) => materialiser.watch(deviceId),
    unwatch: (deviceId) => materialiser.unwatch(deviceId),
    told: () => materialiser.told(),
  };
  const processes = new OneProcess(options.random.bytes(6).toString('hex'), options.clock, options.logger);
  const feed = new EmbeddedFeed(transactions, teller, options.logger);
  const attributes = new EmbeddedAttributes(env, feed, events, wakeUps);
  const files = new FirmwareFiles(options.folder, transactions, space);
  const packageUses = new PackageUses(env);
  const firmware = new EmbeddedFirmware(env, transactions, files, packageUses, options);
  const rollouts = new EmbeddedRollouts(env, transactions);
  const consumed = consumedSequence(view);
  const consumer: LogConsumer = { consumed: () => materialiser.consumed(), wake: () => materialiser.wake() };
  const log = new EmbeddedTelemetryLog(logEnv, logTransactions, consumer, {
    consumed,
    backlogMax: options.backlogMax,
    durability: options.durability,
    refused: options.metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_TELEMETRY_BACKLOG_MAX' }),
  });
  const { folder, durability, minFreeBytes } = options;
  const materialiser = new WorkerMaterialiser(
    {
      folder,
      durability,
      minFreeBytes,
      keysMax: options.telemetryKeysMax,
      entryMax: options.telemetryEntryMax,
      retention: { maxAge: options.historyMaxAge, maxPoints: options.historyMax },
      retentionInterval: options.retentionInterval,
    },
    {
      get newest() {
        return log.newest;
      },
      refresh: () => view.root.resetReadTxn(),
    },
    feed,
    consumed,
    options.clock,
    options.logger,
    options.metrics,
  );
  options.metrics.gauge('tandem_telemetry_backlog', () => log.backlog());
  options.metrics.gauge('tandem_data_free_bytes', () => space.bytes);
  options.metrics.gauge('tandem_firmware_files_open', () => files.kept);
  options.metrics.gauge('tandem_devices_watched', () => wakeUps.size);
  const directory = new DeviceDirectory(directorySource(env), { ...options, maxDevices: options.directoryMax });
  options.metrics.gauge('tandem_feed_devices', () => feed.size);
  let closed: Promise<void> | undefined;
  const devices = new EmbeddedDevices(
    env,
    transactions,
    events,
    rpcs,
    purge,
    wakeUps,
    directory,
    records,
    () => options.random.bytes(6).toString('hex'),
    options.logger,
  );
  devices.onSessionChange((change) => {
    if (change.kind === 'deleted') feed.gone(change.deviceId);
  });
  const state: State = {
    accounts: new EmbeddedAccounts(env, transactions, records, options.logger),
    devices,
    claims: new EmbeddedClaims(env, transactions, devices, records),
    attributes,
    events,
    telemetryLog: log,
    telemetryView: new EmbeddedTelemetryView(view, materialiser),
    materialiser,
    rpcs,
    rateCounters: new MemoryRateCounters(options.rateBucketsMax, options.metrics, 'tandem_rate_limit_buckets'),
    activity: new EmbeddedActivity(env, feed, attributes),
    feed,
    processes,
    failures: new MemoryFailureCounters(options.loginSubjectsMax, options.metrics),
    firmware,
    rollouts,
    secret: (name) => sharedSecret(env, transactions, records, name),
    sealSecrets: () => sealSecrets(env, transactions, records, box),
    async ping() {
      await transactions.run(() => env.meta.put('ping', String(options.clock.now())));
    },
    // The folder has one owner: nobody takes its contents away under it.
    onReset: () => () => {},
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
  return { state, resume };

  async function resume(): Promise<void> {
    await proveKeys(env, transactions, box);
    await renewFormerRows(env, transactions, rpcs, records);
    await purge.resume();
    await firmware.sweep();
    await rollouts.releaseAll();
  }

  async function closeAll(): Promise<void> {
    processes.close();
    space.close();
    await files.close();
    directory.close();
    await Promise.all([transactions.close(), logTransactions.close(), viewTransactions.close()]);
    await materialiser.close();
    await Promise.all([closeEnvironment(env), closeEnvironment(logEnv), closeEnvironment(view)]);
    await settleLog(options.folder);
    await unlock();
  }
}

async function sharedSecret(
  env: Environment,
  transactions: Transactions,
  records: SealedRecords,
  name: string,
): Promise<Buffer> {
  const key = secretKey(name);
  const made = randomBytes(SECRET_BYTES).toString('base64');
  const text = await transactions.run(() => {
    const stored = env.meta.get(key);
    if (stored !== undefined) return stored;
    const sealed = records.secretText(name, made);
    env.meta.put(key, sealed);
    return sealed;
  });
  return Buffer.from(records.secret(name, text), 'base64');
}
