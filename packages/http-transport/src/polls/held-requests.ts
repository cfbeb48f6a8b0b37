import {
  type Clock,
  type Counter,
  type DeviceSession,
  type MetricsRegistry,
  type Millis,
  type ObservedKind,
  Places,
  type Settings,
  TandemError,
  type WaiterHere,
} from '@tandem/core';
import type { Exchange } from '../requests/exchange';
import { HeldPoll } from './held-poll';
import { HeldRequest } from './held-request';

/** When a device may ask again for a poll that was one too many. */
const RETRY: Millis = 5_000;

type Bounds = Pick<Settings, 'TANDEM_HTTP_MAX_POLLS' | 'TANDEM_HTTP_MAX_POLLS_PER_DEVICE'>;

/** The open polls and waiting commands, and how many there may be. */
export class HeldRequests {
  readonly #polls = new Set<HeldPoll>();
  readonly #commands = new Set<HeldRequest>();
  /** Of both together, by device. */
  readonly #places: Places;
  readonly #maxPolls: number;
  readonly #pollsFull: Counter;
  readonly #deviceFull: Counter;

  constructor(
    bounds: Bounds,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    this.#maxPolls = bounds.TANDEM_HTTP_MAX_POLLS;
    this.#places = new Places(Number.POSITIVE_INFINITY, bounds.TANDEM_HTTP_MAX_POLLS_PER_DEVICE);
    this.#pollsFull = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_POLLS' });
    this.#deviceFull = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_HTTP_MAX_POLLS_PER_DEVICE' });
    metrics.gauge('tandem_http_open_polls', () => this.#polls.size);
  }

  /** @throws TandemError TOO_MANY_REQUESTS */
  poll(exchange: Exchange, session: DeviceSession, kind: ObservedKind): HeldRequest {
    if (this.#polls.size >= this.#maxPolls) throw tooMany(this.#pollsFull, 'Too many open polls');
    const free = this.#place(session);
    return new HeldPoll(exchange, this.#polls, free, { session, kind, since: this.clock.monotonic() });
  }

  /** The open polls, oldest first. */
  *waiters(): Generator<WaiterHere> {
    for (const poll of this.#polls) yield poll.asWaiter(this.clock);
  }

  /** @throws TandemError TOO_MANY_REQUESTS */
  command(exchange: Exchange, session: DeviceSession): HeldRequest {
    return new HeldRequest(exchange, this.#commands, this.#place(session));
  }

  /** For the gateway ends. */
  refuseAll(): void {
    for (const held of [...this.#polls, ...this.#commands]) {
      held.exchange.closeConnection();
      held.refuse(new TandemError('SHUTTING_DOWN'));
    }
  }

  /** @returns frees it */
  #place({ deviceId }: DeviceSession): () => void {
    const free = this.#places.take(deviceId);
    if (!free) throw tooMany(this.#deviceFull, 'Too many open polls and waiting commands of this device');
    return free;
  }
}

function tooMany(limit: Counter, message: string): TandemError {
  limit.add();
  return new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: RETRY });
}
