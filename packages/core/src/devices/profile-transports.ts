import type { MetricsRegistry } from '../platform/metrics';
import type { DeviceStore, SessionChange } from '../state/device-store';
import type { TransportType, Uuid } from './model';

/**
 * The transport of a profile, which is part of every device of it that is shown (server contract 3.2). A process cache
 * answers all but the first; a change of a profile drops it before it is acknowledged.
 */
export class ProfileTransports {
  readonly #known = new Map<Uuid, TransportType>();
  /** Counts the changes heard: what was read before a change must not be kept after it. */
  #changes = 0;

  constructor(
    private readonly store: DeviceStore,
    private readonly max: number,
    metrics: MetricsRegistry,
  ) {
    store.onSessionChange((change) => this.#forget(change));
    metrics.gauge('tandem_profile_transports_cached', () => this.#known.size);
  }

  /** Where it is known; the way of nearly every device, without a promise. */
  cached(profileId: Uuid): TransportType | undefined {
    return this.#known.get(profileId);
  }

  /** @returns DEFAULT for a profile that is gone in this moment. @throws TandemError STORE_UNAVAILABLE */
  async of(profileId: Uuid): Promise<TransportType> {
    const known = this.#known.get(profileId);
    if (known) return known;
    const before = this.#changes;
    const profile = await this.store.getProfileInfo(profileId);
    if (!profile) return 'DEFAULT';
    if (before === this.#changes) this.#keep(profileId, profile.transportType);
    return profile.transportType;
  }

  #keep(profileId: Uuid, transportType: TransportType): void {
    const [oldest] = this.#known.size >= this.max ? this.#known.keys() : [];
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(profileId, transportType);
  }

  #forget(change: SessionChange): void {
    if (change.kind === 'missed') this.#known.clear();
    else if (change.kind === 'profile') this.#known.delete(change.profileId);
    else return;
    this.#changes++;
  }
}
