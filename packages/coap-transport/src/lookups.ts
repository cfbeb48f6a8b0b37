import type { DeviceAuth, DeviceSession, MetricsRegistry } from '@tandem/core';

/**
 * Credentials the cache does not know cost a read of the store, and anybody can make them up: so many are read at the same
 * time and no more. Those the cache knows never come here.
 */
export class Lookups {
  #running = 0;
  readonly #auth: DeviceAuth;
  readonly #max: number;
  readonly #refused: { add(): void };
  readonly #done = (): void => {
    this.#running--;
  };

  constructor(auth: DeviceAuth, max: number, metrics: MetricsRegistry) {
    this.#auth = auth;
    this.#max = max;
    this.#refused = metrics.counter(
      'tandem_coap_dropped_lookups_total',
      'Messages dropped or rejected: too many credentials being looked up',
    );
    metrics.gauge('tandem_coap_lookups', 'Credentials being looked up in the store', () => this.#running);
  }

  /**
   * The session of the device with this token. Undefined: there is no room for one more lookup.
   * @throws TandemError UNAUTHORIZED (the promise) when nobody has it
   */
  find(token: string): Promise<DeviceSession> | undefined {
    if (this.#running >= this.#max) {
      this.#refused.add();
      return undefined;
    }
    this.#running++;
    const session = this.#auth.resolve(token);
    session.then(this.#done, this.#done);
    return session;
  }
}
