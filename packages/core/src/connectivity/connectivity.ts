import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { ActivityStore, ActivityTerms } from '../state/activity-store';
import { type OpenSession, OwnSessions } from './own-sessions';

export interface ConnectivitySettings {
  /** `DEFAULT_INACTIVITY_TIMEOUT` */
  readonly defaultTimeout: Millis;
  /** `TANDEM_ACTIVITY_MAX_DEVICES` */
  readonly maxDevices: number;
}

/** Devices in one call of the store: one step of it must not hold up the messages behind it. */
const BATCH = 256;
/** Devices that one look at the index takes. */
const SETTLE_BATCH = 500;

/**
 * Whether devices are there (server contract 9), for the cluster as a whole. A message costs its process one entry in
 * memory; `flush`, called every few seconds, tells the store, and `settle`, called on any number of `api` processes, finds
 * those that have gone silent.
 */
export class Connectivity {
  /** Devices heard of since the last flush, each with the time of its newest message. */
  #seen = new Map<Uuid, Sighting>();
  #flushing: Promise<void> = Promise.resolve();
  readonly #sessions: OwnSessions;
  readonly #dropped: { add(): void };
  readonly #becameActive: { add(n: number): void };
  readonly #becameInactive: { add(n: number): void };

  /** @param processName a name that no other process has */
  constructor(
    private readonly store: ActivityStore,
    processName: string,
    private readonly settings: ConnectivitySettings,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#sessions = new OwnSessions(store, processName, clock);
    metrics.gauge('tandem_activity_unreported', () => this.#seen.size);
    metrics.gauge('tandem_sessions', () => this.#sessions.size);
    this.#dropped = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_ACTIVITY_MAX_DEVICES' });
    this.#becameActive = metrics.counter('tandem_devices_became_active_total');
    this.#becameInactive = metrics.counter('tandem_devices_became_inactive_total');
  }

  /** A device made itself heard. Costs one entry in memory; in the way of every message. */
  seen(deviceId: Uuid): void {
    const known = this.#seen.get(deviceId);
    // In place: a new entry for each message would be garbage that an old object points to.
    if (known) known.at = this.clock.now();
    else if (this.#seen.size >= this.settings.maxDevices) this.#dropped.add();
    else this.#seen.set(deviceId, { at: this.clock.now() });
  }

  /** An asynchronous session of the device begins: a CoAP observation. HTTP requests, polls included, are none. */
  open(deviceId: Uuid): OpenSession {
    return this.#sessions.open(deviceId);
  }

  /** A device was made: it is not active. @throws TandemError STORE_UNAVAILABLE */
  created(deviceId: Uuid): Promise<void> {
    return this.store.begin(deviceId, this.#terms());
  }

  /** To be called when SERVER attributes were written or deleted. @throws TandemError STORE_UNAVAILABLE */
  async attributesChanged(deviceId: Uuid, keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      if (key !== 'inactivityTimeout') continue;
      await this.store.reevaluate(deviceId, this.#terms());
      return;
    }
  }

  /** Tells the store what was heard until now. What cannot be told is kept for the next time. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Ends this process' sessions and tells the store all there is to tell. Never rejects. */
  close(): Promise<void> {
    this.#sessions.closeAll();
    return this.flush();
  }

  /** Looks at the devices whose time has come. @param stopped whether to leave it there */
  async settle(stopped: () => boolean = () => false): Promise<void> {
    for (let more = true; more && !stopped(); ) {
      const { looked, becameInactive } = await this.store.settle(this.#terms(), SETTLE_BATCH);
      this.#becameInactive.add(becameInactive.length);
      more = looked === SETTLE_BATCH;
    }
  }

  async #flush(): Promise<void> {
    const seen = this.#seen;
    this.#seen = new Map();
    try {
      for (const batch of batches(seen)) {
        this.#becameActive.add((await this.store.report(batch, this.#terms())).length);
        for (const deviceId of batch.keys()) seen.delete(deviceId);
      }
      await this.#sessions.tell(this.#terms());
    } catch (error) {
      const { code } = TandemError.from(error);
      this.logger.warn('device activity not reported, it will be', { error: code, devices: seen.size });
      this.#keep(seen);
    }
  }

  #keep(unreported: ReadonlyMap<Uuid, Sighting>): void {
    for (const [deviceId, sighting] of unreported) {
      if (this.#seen.size >= this.settings.maxDevices) return;
      if (!this.#seen.has(deviceId)) this.#seen.set(deviceId, sighting);
    }
  }

  #terms(): ActivityTerms {
    return { now: this.clock.now(), defaultTimeout: this.settings.defaultTimeout };
  }
}

/** The newest message of a device since the last report. */
interface Sighting {
  at: EpochMillis;
}

function* batches(all: ReadonlyMap<Uuid, Sighting>): Generator<ReadonlyMap<Uuid, EpochMillis>> {
  let batch = new Map<Uuid, EpochMillis>();
  for (const [deviceId, { at }] of all) {
    batch.set(deviceId, at);
    if (batch.size < BATCH) continue;
    yield batch;
    batch = new Map();
  }
  if (batch.size > 0) yield batch;
}
