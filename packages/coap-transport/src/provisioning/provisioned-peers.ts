import type { Clock, MetricsRegistry, Millis, Uuid } from '@tandem/core';
import { DEFAULT_SETTINGS } from '../endpoint/index';

/** A long answer takes some round trips, and there is no more to fetch when its body has gone. */
const LIFETIME: Millis = DEFAULT_SETTINGS.blockLifetime;

/** As which devices peers were provisioned of late, so that they may fetch the rest of the answer. */
export class ProvisionedPeers {
  /** Those longest ago first. */
  readonly #peers = new Map<string, { readonly deviceId: Uuid; readonly until: Millis }>();

  constructor(
    private readonly max: number,
    private readonly clock: Pick<Clock, 'monotonic'>,
    metrics: MetricsRegistry,
  ) {
    metrics.gauge('tandem_coap_provisioned_peers', () => {
      this.#forgetOld();
      return this.#peers.size;
    });
  }

  add(peer: string, deviceId: Uuid): void {
    this.#forgetOld();
    this.#peers.delete(peer);
    const [oldest] = this.#peers.size >= this.max ? this.#peers.keys() : [];
    if (oldest !== undefined) this.#peers.delete(oldest);
    this.#peers.set(peer, { deviceId, until: this.clock.monotonic() + LIFETIME });
  }

  deviceOf(peer: string): Uuid | undefined {
    this.#forgetOld();
    return this.#peers.get(peer)?.deviceId;
  }

  #forgetOld(): void {
    const now = this.clock.monotonic();
    for (const [peer, { until }] of this.#peers) {
      if (until > now) return;
      this.#peers.delete(peer);
    }
  }
}
