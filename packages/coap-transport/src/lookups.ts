import type { Counter, DeviceAuth, DeviceSession, MetricsRegistry } from '@tandem/core';
import type { CoapRequest } from './endpoint/index';
import type { LockOut } from './lock-out';

/** Lookups for one address and port at the same time. A device has one token, so even one that is new needs few. */
const MAX_PER_PEER = 32;

/**
 * Credentials the cache does not know cost a read of the store, and anybody can make them up: so many are read at the same
 * time and no more, in all and for one peer. Those the cache knows never come here.
 */
export class Lookups {
  #running = 0;
  readonly #max: number;
  readonly #refused: { add(): void };
  readonly #refusedOfPeer: { add(): void };
  /** By the key of the peer; those that have none running are not in it. */
  readonly #runningOfPeer = new Map<string, number>();

  constructor(
    private readonly auth: DeviceAuth,
    private readonly lockOut: LockOut,
    max: number,
    metrics: MetricsRegistry,
    private readonly tooMany: Counter,
  ) {
    this.#max = max;
    this.#refused = metrics.counter('tandem_coap_lookups_refused_total', { bound: 'all' });
    this.#refusedOfPeer = metrics.counter('tandem_coap_lookups_refused_total', { bound: 'peer' });
    metrics.gauge('tandem_coap_lookups', () => this.#running);
    metrics.gauge('tandem_coap_lookup_peers', () => this.#runningOfPeer.size);
  }

  /** The session of the device with this token, where that is known and may be told at once. */
  cached(token: string, request: CoapRequest): DeviceSession | undefined {
    const session = this.auth.cached(token);
    return session === undefined || this.lockOut.hasToWait(request) ? undefined : session;
  }

  /**
   * The session of the device with this token. Undefined: there is no room for one more lookup.
   * @param request of who asks
   * @throws TandemError (the promise) UNAUTHORIZED when nobody has it, TOO_MANY_REQUESTS for who is locked out
   */
  find(token: string, request: CoapRequest): Promise<DeviceSession> | undefined {
    return this.guarded(request, () => this.auth.resolve(token));
  }

  /** As `find`. @param look throws UNAUTHORIZED for wrong credentials, which count for the lock-out */
  guarded<T>(request: CoapRequest, look: () => Promise<T>): Promise<T> | undefined {
    return this.run(request, () => this.lockOut.look(request, look));
  }

  /** As `find`, of what may be nobody's. */
  run<T>(request: CoapRequest, look: () => Promise<T>): Promise<T> | undefined {
    const peer = request.peer.key;
    if (this.#running >= this.#max) {
      this.#refused.add();
      this.tooMany.add();
      return undefined;
    }
    const ofPeer = this.#runningOfPeer.get(peer) ?? 0;
    if (ofPeer >= MAX_PER_PEER) {
      this.#refusedOfPeer.add();
      return undefined;
    }
    this.#running++;
    this.#runningOfPeer.set(peer, ofPeer + 1);
    const session = look();
    const done = () => this.#done(peer);
    session.then(done, done);
    return session;
  }

  #done(peer: string): void {
    this.#running--;
    const ofPeer = (this.#runningOfPeer.get(peer) ?? 1) - 1;
    if (ofPeer === 0) this.#runningOfPeer.delete(peer);
    else this.#runningOfPeer.set(peer, ofPeer);
  }
}
