import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedState } from '@tandem/state-embedded';
import type { DeviceSession } from '../../auth/device-session';
import { readSettings } from '../../config/read-settings';
import { type Core, makeCore, type Platform } from '../../core';
import type { LogFields, Logger } from '../../platform/logger';
import { type LabelsOf, type MetricName, MetricsRegistry } from '../../platform/metrics';
import { systemRandom } from '../../platform/random';
import type { ClientRpcBackend } from '../../rpc/client-rpc';
import type { DeviceEvents, Wake } from '../../state/device-events';
import type { SessionChange } from '../../state/device-store';
import type { State } from '../../state/state';
import { FakeClock } from '../../testing/fake-clock';
import type { OpenPoll, PollEvent, PollOutcome } from '../long-poll';
import type { Uuid } from '../model';

export interface Logged {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly fields: LogFields;
}

const WAKES: readonly Wake[] = ['attributes', 'rpc', 'observer'];

/**
 * All services over the real embedded store, with time that a test moves. Two cores over one store are what two processes
 * are.
 */
export class CoreUnderTest {
  clock = new FakeClock();
  readonly log: Logged[] = [];
  tenantId: Uuid = '';
  #core: Core | undefined;
  #folder = '';
  #settings = readSettings({});
  readonly #waiters = new Set<(wake: Wake) => void>();
  readonly #sessionListeners = new Set<(change: SessionChange) => void>();

  get core(): Core {
    if (!this.#core) throw new Error('the core is there only within a test');
    return this.#core;
  }

  async open(settings: Readonly<Record<string, string>>, backend?: ClientRpcBackend): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'tandem-core-'));
    this.clock = new FakeClock();
    this.#waiters.clear();
    this.#sessionListeners.clear();
    this.#settings = readSettings(settings);
    const { TANDEM_TELEMETRY_BACKLOG_MAX, TANDEM_EVENT_LOG_MAX } = this.#settings;
    const metrics = new MetricsRegistry();
    const state = await openEmbeddedState({
      folder: this.#folder,
      durability: 'process',
      backlogMax: TANDEM_TELEMETRY_BACKLOG_MAX,
      eventLogMax: TANDEM_EVENT_LOG_MAX,
      rpcMaxPending: this.#settings.TANDEM_RPC_MAX_PENDING,
      rpcFinishedMax: this.#settings.TANDEM_RPC_FINISHED_MAX,
      rateBucketsMax: 1_000,
      directoryMax: 10_000,
      telemetryKeysMax: 1_000,
      historyMaxAge: 0,
      historyMax: undefined,
      retentionInterval: 3_600_000,
      loginSubjectsMax: 1_000,
      minFreeBytes: 1,
      ...this.#platform(metrics),
    });
    this.#core = makeCore(this.#recorded(state), this.#settings, this.#platform(metrics), backend);
    await this.#core.accounts.ensureTenantAdmin('admin@example.org', 'password', 'Tenant');
    this.tenantId = (await state.accounts.findUserByEmail('admin@example.org'))?.tenantId ?? '';
    this.log.length = 0;
  }

  /** Another process over the same store. @param over puts faults in front of its store */
  another(over: (state: State) => State = (state) => state): Core {
    return makeCore(over(this.core.state), this.#settings, this.#platform(new MetricsRegistry()));
  }

  /** What a store does that cannot tell whether it lost wake-ups: everybody hears of everything. */
  wakeAll(): void {
    for (const listener of [...this.#waiters]) for (const wake of WAKES) listener(wake);
  }

  /** What a store says that cannot tell whether devices changed. */
  missChanges(): void {
    for (const listener of this.#sessionListeners) listener({ kind: 'missed' });
  }

  #platform(metrics: MetricsRegistry): Platform {
    return { clock: this.clock, random: systemRandom, logger: recorder(this.log), metrics };
  }

  /** The store with an ear for who listens to it. */
  #recorded(state: State): State {
    const { events, devices } = state;
    return {
      ...state,
      events: over(events, { watch: (deviceId, listener) => this.#watch(events, deviceId, listener) }),
      devices: over(devices, {
        onSessionChange: (listener) => {
          this.#sessionListeners.add(listener);
          return devices.onSessionChange(listener);
        },
      }),
    };
  }

  #watch(events: DeviceEvents, deviceId: Uuid, listener: (wake: Wake) => void): () => void {
    this.#waiters.add(listener);
    const unwatch = events.watch(deviceId, listener);
    return () => {
      this.#waiters.delete(listener);
      unwatch();
    };
  }

  async close(): Promise<void> {
    await this.core.state.close();
    await rm(this.#folder, { recursive: true });
  }

  /** A new device with this token. */
  async device(token: string): Promise<DeviceSession> {
    await this.core.devices.create(this.tenantId, { name: token }, { credentialsId: token });
    return this.core.auth.resolve(token);
  }

  gauge<N extends MetricName>(name: N, labels?: Partial<LabelsOf<N>>): number | undefined {
    return this.core.metrics.value(name, labels);
  }

  /** Resolves when everything that was asked of the store before has been done and has been heard of. */
  async quiet(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await this.core.state.ping();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A new core for every test of the surrounding `describe`. */
export function useCore(settings: Readonly<Record<string, string>> = {}, backend?: ClientRpcBackend): CoreUnderTest {
  const used = new CoreUnderTest();
  beforeEach(() => used.open(settings, backend));
  afterEach(() => used.close());
  return used;
}

/** A poll as a test sees it: how it ended, once it has. */
export class PollUnderTest {
  outcome: PollOutcome | undefined;
  readonly ended: Promise<PollOutcome>;
  readonly poll: OpenPoll;

  constructor(open: (done: (outcome: PollOutcome) => void) => OpenPoll) {
    let resolve: (outcome: PollOutcome) => void;
    this.ended = new Promise((done) => {
      resolve = done;
    });
    this.poll = open((outcome) => {
      if (this.outcome) throw new Error('a poll ends once');
      this.outcome = outcome;
      resolve(outcome);
    });
  }

  /** The event it ended with. */
  async event(): Promise<PollEvent> {
    const outcome = await this.ended;
    if (outcome.kind !== 'event') throw new Error(`the poll ended with ${outcome.kind}`);
    return outcome.event;
  }

  /** The event's body; the device gets it. */
  async delivered(): Promise<string> {
    const event = await this.event();
    event.settled(true);
    return event.message.payload.toString();
  }
}

/** A part of a store that does what is given instead of what it would do. */
export function over<T extends object>(part: T, given: Partial<T>): T {
  return new Proxy(part, {
    get(target, name) {
      const own = given[name as keyof T] ?? target[name as keyof T];
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

function recorder(log: Logged[]): Logger {
  const write =
    (level: Logged['level']) =>
    (message: string, fields: LogFields = {}) =>
      void log.push({ level, message, fields });
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug'), debugEnabled: true };
}
