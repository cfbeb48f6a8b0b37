import {
  type DeviceSession,
  type MetricsRegistry,
  type Millis,
  Places,
  type Settings,
  TandemError,
} from '@tandem/core';
import type { Exchange } from './exchange';
import { HeldRequest } from './held-request';

/** When a device may ask again for a poll that was one too many. */
const RETRY: Millis = 5_000;

type Bounds = Pick<Settings, 'TANDEM_HTTP_MAX_POLLS' | 'TANDEM_HTTP_MAX_POLLS_PER_DEVICE'>;

/** The open polls and waiting commands, and how many there may be. */
export class HeldRequests {
  readonly #polls = new Set<HeldRequest>();
  readonly #commands = new Set<HeldRequest>();
  /** Of both together, by device. */
  readonly #places: Places;
  readonly #maxPolls: number;
  readonly #refused: { add(): void };

  constructor(bounds: Bounds, metrics: MetricsRegistry) {
    this.#maxPolls = bounds.TANDEM_HTTP_MAX_POLLS;
    this.#places = new Places(Number.POSITIVE_INFINITY, bounds.TANDEM_HTTP_MAX_POLLS_PER_DEVICE);
    this.#refused = metrics.counter('tandem_http_polls_refused_total', 'Polls and commands that were one too many');
    metrics.gauge('tandem_http_open_polls', 'Long polls that wait for an event', () => this.#polls.size);
  }

  /** @throws TandemError TOO_MANY_REQUESTS */
  poll(exchange: Exchange, session: DeviceSession): HeldRequest {
    if (this.#polls.size >= this.#maxPolls) throw this.#tooMany('Too many open polls');
    return new HeldRequest(exchange, this.#polls, this.#place(session));
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
    if (!free) throw this.#tooMany('Too many open polls and waiting commands of this device');
    return free;
  }

  #tooMany(message: string): TandemError {
    this.#refused.add();
    return new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: RETRY });
  }
}
