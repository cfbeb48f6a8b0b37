import type { DeviceSession } from '../auth/device-session';
import type { Settings } from '../config/settings';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Counter, MetricsRegistry } from '../platform/metrics';
import type { RateCounters, RateDemand, RateLimit, RateOwner } from '../state/rate-counters';
import { FallbackCounters } from './fallback-counters';

/** Telemetry and client attributes, however many values are in them, or any other message (contract 1.8). */
export type LimitedKind = 'message' | 'telemetry';

type ScopeLimits = Readonly<Record<'messages' | 'telemetryMessages' | 'dataPoints', readonly RateLimit[]>>;

/** Names of what is counted, as they stand in the refusal. */
const WORDS = { messages: 'messages', telemetryMessages: 'telemetry messages', dataPoints: 'data points' } as const;

/** Asks for every message of a device whether it is one too many: for the device, then for its tenant. */
export class Limits {
  readonly #device: ScopeLimits;
  readonly #tenant: ScopeLimits;
  readonly #limited: boolean;
  readonly #counters: FallbackCounters;
  readonly #timeout: Millis;
  readonly #refused: ReturnType<typeof hitsOf>;

  constructor(
    counters: RateCounters,
    settings: Settings,
    private readonly clock: Clock,
    logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#device = {
      messages: settings.TANDEM_RATE_LIMIT_DEVICE_MSGS,
      telemetryMessages: settings.TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS,
      dataPoints: settings.TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS,
    };
    this.#tenant = {
      messages: settings.TANDEM_RATE_LIMIT_TENANT_MSGS,
      telemetryMessages: settings.TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS,
      dataPoints: settings.TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS,
    };
    this.#limited = [this.#device, this.#tenant].some((scope) => Object.values(scope).some(({ length }) => length > 0));
    this.#timeout = settings.TANDEM_RATE_LIMIT_TIMEOUT;
    this.#counters = new FallbackCounters(counters, settings.TANDEM_RATE_LIMIT_BUCKETS_MAX, clock, logger, metrics);
    this.#refused = hitsOf(metrics);
  }

  /**
   * Counts one message of the device. Where the store does not answer in `TANDEM_RATE_LIMIT_TIMEOUT`, buckets of this process
   * decide.
   * @param points key-value pairs in the message
   * @returns undefined, and nothing was asked, where no limit is set for the kind
   * @throws TandemError TOO_MANY_REQUESTS, which names the limit; TOO_MANY_POINTS; only by the promise
   */
  take(session: DeviceSession, kind: LimitedKind, points = 0): Promise<void> | undefined {
    if (!this.#limited) return undefined;
    const forDevice = demandsOf(this.#device, kind, points);
    const forTenant = demandsOf(this.#tenant, kind, points);
    if (forDevice.length + forTenant.length === 0) return undefined;
    return this.#take(session, forDevice, forTenant);
  }

  async #take(
    { deviceId, tenantId }: DeviceSession,
    forDevice: readonly RateDemand[],
    forTenant: readonly RateDemand[],
  ): Promise<void> {
    this.#refuseForEver({ scope: 'device', id: deviceId }, forDevice);
    this.#refuseForEver({ scope: 'tenant', id: tenantId }, forTenant);
    // One for both questions: no message waits longer for its limits.
    const answerBy = this.clock.monotonic() + this.#timeout;
    // A device beyond its own limit takes nothing from the others of its tenant.
    await this.#ask({ scope: 'device', id: deviceId }, forDevice, answerBy);
    await this.#ask({ scope: 'tenant', id: tenantId }, forTenant, answerBy);
  }

  /** No waiting would help: the store need not be asked. */
  #refuseForEver({ scope }: RateOwner, demands: readonly RateDemand[]): void {
    const never = demands.find(({ cost, limit }) => cost > limit.count);
    if (!never) return;
    const { what, limit, cost } = never;
    this.#refused[scope][what]?.add();
    const allowed = `at most ${limit.count} ${what} in ${limit.seconds} s`;
    throw new TandemError('TOO_MANY_POINTS', {
      message: `${scope.toUpperCase()} rate limits: never, the message has ${cost} ${what}, of ${allowed}; send less at once`,
    });
  }

  async #ask(owner: RateOwner, demands: readonly RateDemand[], answerBy: Millis): Promise<void> {
    if (demands.length === 0) return;
    const taken = await this.#counters.take(owner, demands, answerBy);
    if (taken.ok) return;
    this.#refused[owner.scope][taken.demand.what]?.add();
    throw refusal(owner, taken.demand, taken.retryAfter);
  }
}

/** By whose limit it is and what it counts. Messages have none of users. */
function hitsOf(metrics: MetricsRegistry): Readonly<Record<RateOwner['scope'], Readonly<Record<string, Counter>>>> {
  const of = (scope: 'DEVICE' | 'TENANT') => ({
    [WORDS.messages]: metrics.counter('tandem_limit_hits_total', { limit: `TANDEM_RATE_LIMIT_${scope}_MSGS` }),
    [WORDS.telemetryMessages]: metrics.counter('tandem_limit_hits_total', {
      limit: `TANDEM_RATE_LIMIT_${scope}_TELEMETRY_MSGS`,
    }),
    [WORDS.dataPoints]: metrics.counter('tandem_limit_hits_total', {
      limit: `TANDEM_RATE_LIMIT_${scope}_TELEMETRY_DATA_POINTS`,
    }),
  });
  return { device: of('DEVICE'), tenant: of('TENANT'), user: {} };
}

function demandsOf(limits: ScopeLimits, kind: LimitedKind, points: number): RateDemand[] {
  const of = (what: keyof ScopeLimits, cost: number) =>
    limits[what].map((limit) => ({ what: WORDS[what], limit, cost }));
  if (kind === 'message') return of('messages', 1);
  return [...of('telemetryMessages', 1), ...(points > 0 ? of('dataPoints', points) : [])];
}

const refusal = ({ scope }: RateOwner, { what, limit }: RateDemand, retryAfter: number): TandemError =>
  new TandemError('TOO_MANY_REQUESTS', {
    message: `${scope.toUpperCase()} rate limits reached! At most ${limit.count} ${what} in ${limit.seconds} s`,
    retryAfter,
  });

/** What parts that take messages of devices need of it. */
export type MessageLimits = Pick<Limits, 'take'>;
