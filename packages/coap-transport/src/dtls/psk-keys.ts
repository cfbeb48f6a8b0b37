import type { Clock, Counter, MetricsRegistry, Millis, PreSharedKey, Random } from '@tandem/core';
import { pskIdentityIn } from './client-key-exchange';
import type { DtlsConnection, OfferedKey } from './engine';

/** Then the client has sent its message again, or soon will. */
const PATIENCE: Millis = 2_000;
/** Bytes of a key that nobody has. */
const NOBODYS_KEY = 32;

export interface PskKeysPorts {
  /** @throws (the promise) where the store cannot be asked */
  readonly find: (identity: string) => Promise<PreSharedKey | undefined>;
  /** Lookups at the same time: whoever has proved an address can make identities up. */
  readonly max: number;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly random: Pick<Random, 'bytes'>;
  readonly metrics: MetricsRegistry;
  /** Lookups of any kind that were one too many. */
  readonly tooMany: Counter;
}

/**
 * Keys of devices for handshakes (RFC 4279). Each is read from the store when it is asked for, and not kept: a handshake with a
 * key costs more than the read, and a key that was taken away opens nothing from then on.
 */
export class PskKeys {
  /** By identity: one lookup serves all who ask meanwhile. */
  readonly #running = new Map<string, Promise<OfferedKey>>();
  /** Handshakes that have their key. */
  readonly #offered = new WeakSet<DtlsConnection>();
  readonly #refused: { add(): void };

  constructor(private readonly ports: PskKeysPorts) {
    ports.metrics.gauge('tandem_dtls_key_lookups', () => this.#running.size);
    this.#refused = ports.metrics.counter('tandem_dtls_key_lookups_refused_total');
  }

  /**
   * OpenSSL wants to be told at once what the store has to be asked for: so the key is looked up before OpenSSL sees the message
   * that names it.
   * @returns undefined: the datagram names none, or it has been looked up; else whether there is a key now
   */
  prepare(connection: DtlsConnection, datagram: Buffer): Promise<boolean> | undefined {
    // One look for each handshake: to any other identity its key is a wrong one.
    if (!connection.wantsKey || this.#offered.has(connection)) return undefined;
    const identity = pskIdentityIn(datagram);
    if (identity === undefined) return undefined;
    return this.#offer(connection, identity);
  }

  async #offer(connection: DtlsConnection, identity: string): Promise<boolean> {
    const key = await this.find(identity);
    if (key === undefined) return false;
    this.#offered.add(connection);
    connection.offerKey(key);
    return true;
  }

  /**
   * The key of this identity; where nobody has it, one that no client has, so that nobody learns which identities there are.
   * @returns undefined: there is no room for one more lookup
   * @throws (the promise) where the store does not answer, or not in time
   */
  find(identity: string): Promise<OfferedKey> | undefined {
    const running = this.#running.get(identity);
    if (running) return running;
    if (this.#running.size >= this.ports.max) {
      this.#refused.add();
      this.ports.tooMany.add();
      return undefined;
    }
    const lookup = this.#look(identity);
    this.#running.set(identity, lookup);
    const done = () => this.#running.delete(identity);
    lookup.then(done, done);
    return lookup;
  }

  async #look(identity: string): Promise<OfferedKey> {
    const { find, clock, random } = this.ports;
    const found = await new Promise<PreSharedKey | undefined>((resolve, reject) => {
      const timer = clock.setTimer(PATIENCE, () => reject(new Error('the store does not answer')));
      find(identity)
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
    const { key, credentials } = found ?? { key: random.bytes(NOBODYS_KEY), credentials: undefined };
    return { identity, key, credentials };
  }
}
