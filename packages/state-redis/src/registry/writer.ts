import { type Clock, type Conflict, type Millis, type Random, TandemError, type Written } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { type Commit, MOVED, type Refusal, subjectOf } from './commit';
import { CHANGES_KEPT, changesKey, registryChannel, type SessionChanges } from './session-changes';
import { Turns } from './turns';

const COMMIT = loadScript('registry-commit');
/** Keys of the script that are before the tables. */
const FIXED_KEYS = 3;
/** For how long a commit that is sent again is known: connections are given up long before. */
const NOTE_KEPT: Millis = 60_000;
/** How often a write is decided anew because others wrote what it depends on. */
const ATTEMPTS = 10;
const FIRST_PAUSE: Millis = 2;
const MAX_PAUSE: Millis = 200;
const RETRY_AFTER: Millis = 1_000;

/** A write as it was decided on what is stored: what it gives and what it takes, or what it ran into. */
export type Plan<T> = { readonly value: T; readonly commit: Commit } | Conflict;

export interface WriterOptions {
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly random: Random;
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
   * @param plan is asked again while others write what it has read
   * @throws TandemError STORE_UNAVAILABLE also when others never stop doing so
   */
  async write<T>(plan: (attempt: number) => Promise<Plan<T>>): Promise<Written<T>> {
    const turn = this.#turns.take();
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 2) await this.#pause(attempt - 2);
      let value: T;
      let sent: Promise<Refusal | undefined>;
      try {
        const planned = await plan(attempt);
        await turn.come;
        if (typeof planned === 'string') return { ok: false, conflict: planned };
        value = planned.value;
        sent = this.commit(planned.commit);
      } finally {
        turn.pass();
      }
      const refusal = await sent;
      if (refusal === undefined) return { ok: true, value };
      if (refusal !== MOVED) return { ok: false, conflict: refusal };
    }
    throw new TandemError('STORE_UNAVAILABLE', {
      message: 'The entity is being changed by too many at once',
      retryAfter: RETRY_AFTER,
    });
  }

  /** Sends it before it returns. What is told is heard in this process before the promise resolves. */
  async commit(commit: Commit): Promise<Refusal | undefined> {
    const { processId, publish, random } = this.options;
    const id = random.uuid();
    const { told } = commit;
    if (told) this.changes.sent(id);
    let reply: 'OK' | Refusal;
    try {
      reply = await this.commands.write<'OK' | Refusal>(
        COMMIT,
        [
          this.keys.registry(`commit:${id}`),
          changesKey(this.keys),
          registryChannel(this.keys),
          ...commit.tables.map((table) => this.keys.registry(table)),
        ],
        [
          ...[NOTE_KEPT, CHANGES_KEPT, processId, id],
          ...(told ? [told.kind, subjectOf(told)] : ['', '']),
          publish,
          ...commit.args(FIXED_KEYS + 1),
        ],
      );
    } catch (error) {
      this.changes.unanswered(id);
      throw error;
    }
    if (reply !== 'OK') {
      this.changes.refused(id);
      return reply;
    }
    if (told) this.changes.made(id, told);
    return undefined;
  }

  #pause(n: number): Promise<void> {
    const { clock, random } = this.options;
    const longest = Math.min(FIRST_PAUSE * 2 ** n, MAX_PAUSE);
    return new Promise((resolve) => clock.setTimer(random.fraction() * longest, resolve));
  }
}
