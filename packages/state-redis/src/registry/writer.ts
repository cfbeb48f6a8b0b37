import { type Clock, type Conflict, type Millis, type Random, TandemError, type Written } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { LAPSE, readersKey } from './change-readers';
import { type Commit, KEYS_MOVED, MOVED, type Refusal, subjectOf } from './commit';
import type { KeyProofs } from './key-proofs';
import { CHANGES_KEPT, changesKey, registryChannel, type SessionChanges } from './session-changes';
import { Turns } from './turns';

const COMMIT = loadScript('registry-commit');
/** Keys of the script that are before the tables. */
const FIXED_KEYS = 4;
/** For how long a commit that is sent again is known: connections are given up long before. */
const NOTE_KEPT: Millis = 60_000;
/** How often a write is decided anew because others wrote what it depends on. */
const ATTEMPTS = 10;
const FIRST_PAUSE: Millis = 2;
const MAX_PAUSE: Millis = 200;
const RETRY_AFTER: Millis = 1_000;

/** A write as it was decided on what is stored: what it gives and what it takes, or what it ran into. */
export type Plan<T> = { readonly value: T; readonly commit: Commit } | Conflict;

/** What Redis says of a commit: that of a change that others have to hear of has its number and who they are. */
type Reply = 'OK' | Refusal | readonly [number: number, ...others: (string | number)[]];

interface Sent {
  readonly refusal: Conflict | typeof MOVED | undefined;
  /** Resolves when the other processes have heard of it. Never rejects. */
  readonly heard?: Promise<void>;
}

export interface WriterOptions {
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly random: Random;
  /** Whether secrets may be written; without it nobody else seals. */
  readonly keyProofs?: KeyProofs;
}

/**
 * Writes of the registry: read, decide, compare and set. They reach Redis in the order of the calls, unless one has to
 * be decided again.
 */
export class RegistryWriter {
  readonly #turns = new Turns();

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly changes: SessionChanges,
    private readonly options: WriterOptions,
  ) {}

  /**
   * What is told of sessions is heard by every process before the promise resolves, or not in time.
   * @param plan is asked again while others write what it has read
   * @param meanwhile begins when the write is made, while others hear of it; never rejects
   * @throws TandemError STORE_UNAVAILABLE also when others never stop doing so
   */
  async write<T>(plan: (attempt: number) => Promise<Plan<T>>, meanwhile?: () => Promise<void>): Promise<Written<T>> {
    const turn = this.#turns.take();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 2) await this.#pause(attempt - 2);
      let value: T;
      let sent: Promise<Sent>;
      try {
        const planned = await plan(attempt);
        await turn.come;
        if (typeof planned === 'string') return { ok: false, conflict: planned };
        value = planned.value;
        sent = this.#send(planned.commit);
      } finally {
        turn.pass();
      }
      const { refusal, heard } = await sent;
      if (refusal === undefined) {
        await Promise.all([heard, meanwhile?.()]);
        return { ok: true, value };
      }
      if (refusal !== MOVED) return { ok: false, conflict: refusal };
    }
    throw new TandemError('STORE_UNAVAILABLE', {
      message: 'The entity is being changed by too many at once',
      retryAfter: RETRY_AFTER,
    });
  }

  /** Sends it before it returns. What is told is heard before the promise resolves, as by `write`. */
  async commit(commit: Commit): Promise<Conflict | typeof MOVED | undefined> {
    const { refusal, heard } = await this.#send(commit);
    await heard;
    return refusal;
  }

  /** Sends it before it returns. What is told is heard in this process before the promise resolves. */
  async #send(commit: Commit): Promise<Sent> {
    const { processId, publish, random, keyProofs } = this.options;
    keyProofs?.guard(commit);
    const id = random.uuid();
    const { told } = commit;
    if (told) this.changes.sent(id);
    let reply: Reply;
    try {
      reply = await this.commands.write<Reply>(
        COMMIT,
        [
          this.keys.registry(`commit:${id}`),
          changesKey(this.keys),
          registryChannel(this.keys),
          readersKey(this.keys),
          ...commit.tables.map((table) => this.keys.registry(table)),
        ],
        [
          ...[NOTE_KEPT, CHANGES_KEPT, processId, id],
          ...(told ? [told.kind, subjectOf(told)] : ['', '']),
          publish,
          told && this.changes.isAwaited(told) ? LAPSE : 0,
          ...commit.args(FIXED_KEYS + 1),
        ],
      );
    } catch (error) {
      this.changes.unanswered(id);
      throw error;
    }
    if (typeof reply === 'string' && reply !== 'OK') {
      this.changes.refused(id);
      if (reply !== KEYS_MOVED) return { refusal: reply };
      await keyProofs?.renew();
      return { refusal: MOVED };
    }
    if (told) this.changes.made(id, told);
    return { refusal: undefined, heard: typeof reply === 'string' ? undefined : this.changes.heard(...reply) };
  }

  #pause(n: number): Promise<void> {
    const { clock, random } = this.options;
    const longest = Math.min(FIRST_PAUSE * 2 ** n, MAX_PAUSE);
    return new Promise((resolve) => clock.setTimer(random.fraction() * longest, resolve));
  }
}
