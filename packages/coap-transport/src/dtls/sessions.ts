import type { Clock, Millis } from '@tandem/core';
import { sourceOf } from '../endpoint/index';
import type { DtlsMetrics } from './dtls-metrics';
import type { HandshakePolicy } from './engine';
import { isApplicationData } from './records';
import { Roster } from './roster';
import type { DtlsSession, SessionEndReason } from './session';

/** Sessions that are ended in a turn where many end at once. */
const ENDS_PER_TURN = 25;
/** Of all sessions there may be, those of strangers take one in so many at the most. */
const SHARE_OF_STRANGERS = 4;
/** Whoever opens a session for a device has something to say at once. */
const PATIENCE_WITH_STRANGERS: Millis = 60_000;

export interface SessionsSettings {
  readonly maxSessions: number;
  readonly maxSessionsPerAddress: number;
  readonly inactivityTimeout: Millis;
  readonly inactivityCheck: Millis;
}

export interface SessionsPorts {
  readonly settings: SessionsSettings;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  readonly soon: (run: () => void) => void;
  readonly metrics: Pick<DtlsMetrics, 'ended'>;
  readonly stillAccepts: HandshakePolicy['stillAccepts'];
  readonly ended: (session: DtlsSession) => void;
}

/**
 * The open sessions by address. Whoever likes can open one: room is made among those that no device is known of, which leave
 * those of devices alone however many they are (as peers do, see `PeerTable`).
 */
export class Sessions {
  readonly #places = new Map<string, DtlsSession>();
  readonly #devices = new Roster<DtlsSession>();
  readonly #strangers = new Roster<DtlsSession>();
  readonly #maxStrangers: number;
  readonly #patience: Millis;
  #stopChecking: readonly (() => void)[] = [];
  #closed = false;

  constructor(private readonly ports: SessionsPorts) {
    const { maxSessions, inactivityTimeout, inactivityCheck } = ports.settings;
    this.#maxStrangers = Math.ceil(maxSessions / SHARE_OF_STRANGERS);
    this.#patience = Math.min(PATIENCE_WITH_STRANGERS, inactivityTimeout);
    this.#stopChecking = [
      this.#every(inactivityCheck, () => this.#check()),
      this.#every(this.#patience / 2, () => this.#endSilent(this.#strangers, this.#patience)),
    ];
  }

  get size(): number {
    return this.#places.size;
  }

  /** Those that no device is known of. */
  get strangers(): number {
    return this.#strangers.size;
  }

  at(key: string): DtlsSession | undefined {
    return this.#places.get(key);
  }

  members(): readonly DtlsSession[] {
    return [...this.#places.values()];
  }

  /** Takes the place of the one at its address. @param key where it is found: `keyOf` its address and port */
  add(session: DtlsSession, key: string): void {
    const former = this.#places.get(key);
    if (former) this.end(former, 'replaced');
    const source = sourceOf(session.address);
    this.#makeRoom(session.isDevices, source);
    this.#places.set(key, session);
    session.key = key;
    this.#rosterOf(session).add(session, source);
  }

  /** A device is known of it from now on. */
  known(session: DtlsSession): void {
    if (session.ended || session.isDevices) return;
    this.#strangers.remove(session);
    session.isDevices = true;
    this.#devices.add(session, sourceOf(session.address));
  }

  /** Something has come in it. @returns whether it goes on */
  heard(session: DtlsSession): boolean {
    if (session.ended) return false;
    if (!this.ports.stillAccepts(session.identity)) {
      this.end(session, 'expired');
      return false;
    }
    session.messages++;
    session.lastHeard = this.ports.clock.monotonic();
    this.#rosterOf(session).renew(session);
    return true;
  }

  /** @returns whether there was a message in it for this session */
  deliver(session: DtlsSession, datagram: Buffer | undefined): 'something' | 'nothing' {
    const { connection } = session;
    const before = session.messages;
    const state = connection.receive(datagram, session.received);
    if (session.ended) return 'something';
    if (state === 'closed') this.end(session, 'closed_by_peer');
    else if (state === 'broken') this.end(session, 'broken');
    // Only what is not a message of the application is answered by the engine itself.
    else if (datagram === undefined || !isApplicationData(datagram)) connection.drain(session.outgoing);
    return session.messages === before ? 'nothing' : 'something';
  }

  end(session: DtlsSession, reason: SessionEndReason): void {
    if (session.ended) return;
    session.ended = true;
    session.onEnd?.();
    this.#rosterOf(session).remove(session);
    this.ports.metrics.ended(reason);
    if (this.#places.get(session.key) === session) this.#places.delete(session.key);
    session.connection.close();
    // Whoever is at the address of a session that was replaced has the keys of the new one.
    if (reason !== 'replaced') session.connection.drain(session.outgoing);
    // Not while it is in the middle of a call.
    this.ports.soon(() => session.connection.free());
    this.ports.ended(session);
  }

  /** Those of that kind, a few in each turn. */
  endAll(reason: SessionEndReason, which: (session: DtlsSession) => boolean): void {
    this.#endEach(reason, this.members().filter(which));
  }

  /** Tells every peer, a few in each turn: what is sent in one leaves before the next. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopChecking) stop();
    while (this.#places.size > 0) {
      for (const session of this.members().slice(0, ENDS_PER_TURN)) this.end(session, 'shutdown');
      await new Promise<void>((resolve) => this.ports.soon(resolve));
    }
  }

  #rosterOf({ isDevices }: DtlsSession): Roster<DtlsSession> {
    return isDevices ? this.#devices : this.#strangers;
  }

  #makeRoom(forDevice: boolean, source: string): void {
    const { maxSessions, maxSessionsPerAddress } = this.ports.settings;
    const [strangers, devices] = [this.#strangers, this.#devices];
    let silent: DtlsSession | undefined;
    if (strangers.sizeOf(source) + devices.sizeOf(source) >= maxSessionsPerAddress) {
      silent = strangers.oldestOf(source) ?? devices.oldestOf(source);
    } else if (strangers.size + devices.size >= maxSessions || (!forDevice && strangers.size >= this.#maxStrangers)) {
      // Of the source that has most of them: one that floods takes from itself.
      silent = strangers.oldestOfMost() ?? devices.oldest;
    }
    if (silent) this.end(silent, 'evicted');
  }

  /** Runs again after each interval, until that is stopped. @returns what stops it */
  #every(interval: Millis, run: () => void): () => void {
    const { clock } = this.ports;
    const next = () =>
      clock.setTimer(interval, () => {
        run();
        timer = next();
      });
    let timer = next();
    return () => timer.cancel();
  }

  #check(): void {
    this.#endSilent(this.#devices, this.ports.settings.inactivityTimeout);
    this.endAll('expired', ({ identity }) => !this.ports.stillAccepts(identity));
  }

  /** A few in each turn. */
  #endSilent(roster: Roster<DtlsSession>, patience: Millis): void {
    if (this.#closed) return;
    const since = this.ports.clock.monotonic() - patience;
    for (let ends = 0; ends < ENDS_PER_TURN; ends++) {
      const { oldest } = roster;
      if (oldest === undefined || oldest.lastHeard > since) return;
      this.end(oldest, 'idle');
    }
    this.ports.soon(() => this.#endSilent(roster, patience));
  }

  #endEach(reason: SessionEndReason, sessions: readonly DtlsSession[]): void {
    for (const session of sessions.slice(0, ENDS_PER_TURN)) this.end(session, reason);
    if (sessions.length > ENDS_PER_TURN) this.ports.soon(() => this.#endEach(reason, sessions.slice(ENDS_PER_TURN)));
  }
}
