import type { Clock, Logger, Millis } from '@tandem/core';
import { sourceOf } from '../endpoint/index';
import { type DtlsMetrics, HANDSHAKE_ENDS, type HandshakeEndReason } from './dtls-metrics';
import type { DtlsConnection } from './engine';
import { HANDSHAKE_FAILURES, isGuess } from './handshake-failure';
import { EVICTED, isClientHello } from './records';
import { Roster } from './roster';
import type { Handshake } from './session';
import { Turns } from './turns';

/** Each costs a millisecond or two of the event loop, which everything else in the process waits for. */
const HANDSHAKES_PER_TURN = 2;
/** Datagrams of a handshake that may wait for its turn: long chains come in many fragments. */
const INBOX = 32;
/**
 * How often a flight is sent again while the client says nothing: whoever has shown a cookie may be gone, or may want the answer to go to
 * an address that is not its own for long. Whoever is there repeats its own flight.
 */
const MAX_REPEATS = 3;

const FAILED = 'DTLS handshake failed';

export interface HandshakesSettings {
  readonly maxHandshakes: number;
  readonly maxHandshakesPerAddress: number;
  readonly handshakeTimeout: Millis;
}

/**
 * What has to be looked up before a datagram of a handshake is worked off, which waits meanwhile; undefined: nothing. False, or
 * a rejection, drops it, and the client sends it again.
 */
export type Prepare = (connection: DtlsConnection, datagram: Buffer) => Promise<boolean> | undefined;

export interface HandshakesPorts {
  readonly settings: HandshakesSettings;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly soon: (run: () => void) => void;
  readonly logger: Pick<Logger, 'debug'>;
  readonly metrics: Pick<DtlsMetrics, 'dropped' | 'handshakeEnded' | 'refused'>;
  readonly prepare: Prepare | undefined;
  /** Runs it, whatever it throws. */
  readonly guard: (run: () => void) => void;
  readonly send: (handshake: Handshake, datagram: Buffer) => void;
  /** It is done, and its connection the caller's. */
  readonly opened: (handshake: Handshake) => void;
  /** The client has tried what it does not have: once for each. */
  readonly refused: (handshake: Handshake) => void;
  /** It was pushed out before anything was said: its client may try again with the same hello. */
  readonly forgotten: (handshake: Handshake) => void;
}

export type Proved = Pick<Handshake, 'address' | 'port' | 'connection' | 'random' | 'key' | 'generation'>;

/** Handshakes under way, of clients that have proved their addresses: one at each. */
export class Handshakes {
  readonly #places = new Map<string, Handshake>();
  readonly #roster = new Roster<Handshake>();
  readonly #turns: Turns<Handshake>;

  constructor(private readonly ports: HandshakesPorts) {
    this.#turns = new Turns(HANDSHAKES_PER_TURN, ports.soon, (handshake) => ports.guard(() => this.#work(handshake)));
  }

  get size(): number {
    return this.#places.size;
  }

  /** Those that wait for their turn. */
  get waiting(): number {
    return this.#turns.size;
  }

  at(key: string): Handshake | undefined {
    return this.#places.get(key);
  }

  begin(proved: Proved): void {
    const { clock, settings } = this.ports;
    const former = this.#places.get(proved.key);
    // Whoever has proved the address last is there now.
    if (former) this.#abandon(former, 'replaced');
    const source = sourceOf(proved.address);
    this.#makeRoom(source);
    const handshake: Handshake = {
      ...proved,
      inbox: [],
      begun: false,
      repeats: 0,
      heard: false,
      held: false,
      refused: false,
      ended: false,
      retransmission: undefined,
      deadline: clock.setTimer(settings.handshakeTimeout, () => this.#abandon(handshake, 'timed_out')),
      membership: undefined,
      waiting: undefined,
    };
    this.#places.set(proved.key, handshake);
    this.#roster.add(handshake, source);
    this.#turns.add(handshake, 'fresh');
  }

  enqueue(handshake: Handshake, datagram: Buffer): void {
    if (handshake.inbox.length >= INBOX) {
      this.ports.metrics.dropped('queue_full');
      return;
    }
    handshake.inbox.push(datagram);
    handshake.repeats = 0;
    if (handshake.begun && !handshake.heard && !isClientHello(datagram)) {
      handshake.heard = true;
      this.#roster.renew(handshake);
    }
    if (!handshake.held) this.#turns.add(handshake, handshake.begun ? 'begun' : 'fresh');
  }

  close(): void {
    for (const handshake of this.#roster.members()) this.#abandon(handshake, 'shutdown');
  }

  /**
   * The oldest goes. Who keeps many open has none that gets far; one that takes its time is over before its turn comes,
   * where those of whoever has most go first, and counts once as new again when it goes on. A client that has been answered is told: if its
   * hello began another one it would take the flights of both for one.
   */
  #makeRoom(source: string): void {
    const { maxHandshakes, maxHandshakesPerAddress } = this.ports.settings;
    const ofSource = this.#roster.sizeOf(source) >= maxHandshakesPerAddress;
    if (!ofSource && this.#roster.size < maxHandshakes) return;
    const oldest = ofSource ? this.#roster.oldestOf(source) : this.#roster.oldestOfMost();
    if (oldest === undefined) return;
    if (oldest.begun) this.ports.send(oldest, EVICTED);
    else this.ports.forgotten(oldest);
    this.#abandon(oldest, 'evicted');
  }

  /** Its turn has come. */
  #work(handshake: Handshake): void {
    if (!handshake.begun) {
      handshake.begun = true;
      this.#step(handshake);
    }
    while (!handshake.ended && !handshake.held) {
      const [datagram] = handshake.inbox;
      if (datagram === undefined) return;
      const lookup = this.ports.prepare?.(handshake.connection, datagram);
      if (lookup !== undefined) {
        this.#hold(handshake, lookup);
        return;
      }
      handshake.inbox.shift();
      this.#step(handshake, datagram);
    }
  }

  #hold(handshake: Handshake, lookup: Promise<boolean>): void {
    handshake.held = true;
    const release = (found: boolean) => {
      handshake.held = false;
      if (handshake.ended) return;
      if (!found) handshake.inbox.shift();
      this.#turns.add(handshake, 'begun');
    };
    lookup.then(release, () => release(false));
  }

  #step(handshake: Handshake, datagram?: Buffer): void {
    const { connection } = handshake;
    const outcome = connection.handshake(datagram);
    connection.drain((flight) => this.ports.send(handshake, flight));
    this.#tell(handshake);
    if (outcome === 'done') {
      this.#forget(handshake);
      this.ports.opened(handshake);
    } else if (outcome === 'waiting') this.#waitFor(handshake);
    else this.#abandon(handshake, 'failed');
  }

  /** At once: a guess that counted only when its handshake is over would leave time for many more. */
  #tell(handshake: Handshake): void {
    const { address, port, connection } = handshake;
    const { refusal, failure } = connection;
    if (refusal === undefined || handshake.refused) return;
    handshake.refused = true;
    this.ports.metrics.refused(refusal);
    this.ports.logger.debug(FAILED, {
      address,
      port,
      reason: HANDSHAKE_FAILURES[refusal],
      ...(failure !== '' && { openssl: failure }),
    });
    if (isGuess(refusal)) this.ports.refused(handshake);
  }

  #waitFor(handshake: Handshake): void {
    const { clock, guard } = this.ports;
    handshake.retransmission?.cancel();
    const wait = handshake.repeats < MAX_REPEATS ? handshake.connection.retransmitIn() : undefined;
    handshake.retransmission =
      wait === undefined ? undefined : clock.setTimer(wait, () => guard(() => this.#repeat(handshake)));
  }

  #repeat(handshake: Handshake): void {
    handshake.retransmission = undefined;
    const { connection } = handshake;
    if (!connection.retransmit()) {
      this.#abandon(handshake, 'timed_out');
      return;
    }
    let repeated = 0;
    connection.drain((datagram) => {
      repeated = 1;
      this.ports.send(handshake, datagram);
    });
    handshake.repeats += repeated;
    this.#step(handshake);
  }

  #abandon(handshake: Handshake, reason: HandshakeEndReason): void {
    this.ports.metrics.handshakeEnded(reason);
    this.#forget(handshake);
    if (!handshake.refused && reason !== 'shutdown') {
      const { address, port } = handshake;
      this.ports.logger.debug(FAILED, { address, port, reason: HANDSHAKE_ENDS[reason] });
    }
    handshake.inbox.length = 0;
    handshake.connection.free();
  }

  #forget(handshake: Handshake): void {
    handshake.ended = true;
    handshake.retransmission?.cancel();
    handshake.deadline?.cancel();
    this.#turns.remove(handshake);
    this.#roster.remove(handshake);
    this.#places.delete(handshake.key);
  }
}
