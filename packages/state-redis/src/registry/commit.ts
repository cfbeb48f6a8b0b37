import type { AccountChange, Conflict, SessionChange, Uuid } from '@tandem/core';
import type { Argument } from '../client';
import type { Table } from './tables';

/** What was read is not what is stored by now: read again, decide again. */
export const MOVED = 'MOVED';

/** Where the proofs of the keys stand, in `meta`. */
export const PROOFS = 'keys';
/** Secrets may be sealed by other keys by now. */
export const KEYS_MOVED = 'KEYS_MOVED';

export type Refusal = Conflict | typeof MOVED | typeof KEYS_MOVED;

/** What can be told of the registry. */
export type RegistryChange = SessionChange | AccountChange | DeviceCreated;
/** Nobody can know a new device but who keeps a list of them: it is no change of sessions. */
export interface DeviceCreated {
  readonly kind: 'created';
  readonly deviceId: Uuid;
}
/** Every change but the one that is no write of anybody. */
export type ToldChange = Exclude<RegistryChange, { readonly kind: 'missed' }>;

/** Whom a change is about. */
export function subjectOf(change: ToldChange): Uuid {
  switch (change.kind) {
    case 'profile':
      return change.profileId;
    case 'user':
      return change.userId;
    case 'customer':
      return change.customerId;
    default:
      return change.deviceId;
  }
}

/** One write of the registry: checks, and the changes that are made when all of them hold. */
export class Commit {
  readonly #tables: Table[] = [];
  readonly #checks: Argument[] = [];
  readonly #changes: Argument[] = [];
  #whileProofs: Argument[] = [];
  #told: ToldChange | undefined;

  /** The field has what was read: this text, or nothing. */
  unchanged(table: Table, field: string, text: string | undefined, refusal: Refusal = MOVED): this {
    return text === undefined
      ? this.#check(table, field, 'absent', '', refusal)
      : this.#check(table, field, 'is', text, refusal);
  }

  absent(table: Table, field: string, refusal: Refusal): this {
    return this.#check(table, field, 'absent', '', refusal);
  }

  present(table: Table, field: string, refusal: Refusal): this {
    return this.#check(table, field, 'present', '', refusal);
  }

  /** Of a counter. */
  zero(table: Table, field: string, refusal: Refusal): this {
    return this.#check(table, field, 'zero', '', refusal);
  }

  /** Of counters: all together are less than `max`. */
  below(table: Table, fields: readonly string[], max: number, refusal: Refusal): this {
    return this.#check(table, fields.join(' '), 'below', String(max), refusal);
  }

  set(table: Table, field: string, text: string): this {
    return this.#change(table, 'hset', field, text);
  }

  remove(table: Table, field: string): this {
    return this.#change(table, 'hdel', field, '');
  }

  add(table: Table, field: string, n: 1 | -1): this {
    return this.#change(table, 'hincrby', field, n);
  }

  /** It is made only while the proofs of keys are these; said again where it is sent again. */
  whileProofsAre(text: string | undefined): this {
    this.#whileProofs = [this.#number('meta'), PROOFS, text === undefined ? 'absent' : 'is', text ?? '', KEYS_MOVED];
    return this;
  }

  /** What running sessions of all processes hear of it. */
  tell(change: ToldChange): this {
    this.#told = change;
    return this;
  }

  /** Whether it sets a field of the table. */
  sets(table: Table): boolean {
    const number = this.#tables.indexOf(table);
    return this.#changes.some((item, i) => i % 4 === 0 && item === number && this.#changes[i + 1] === 'hset');
  }

  get tables(): readonly Table[] {
    return this.#tables;
  }

  get told(): ToldChange | undefined {
    return this.#told;
  }

  /**
   * Checks and changes as `registry-commit.lua` takes them.
   * @param first number of the first of `tables` among the keys of the script
   */
  args(first: number): Argument[] {
    const checks = [...this.#whileProofs, ...this.#checks];
    const numbered = (list: readonly Argument[], width: number) =>
      list.map((argument, i) => (i % width === 0 ? Number(argument) + first : argument));
    return [checks.length / 5, ...numbered(checks, 5), ...numbered(this.#changes, 4)];
  }

  #check(table: Table, field: string, kind: string, text: string, refusal: Refusal): this {
    this.#checks.push(this.#number(table), field, kind, text, refusal);
    return this;
  }

  #change(table: Table, command: string, field: string, value: Argument): this {
    this.#changes.push(this.#number(table), command, field, value);
    return this;
  }

  #number(table: Table): number {
    const known = this.#tables.indexOf(table);
    return known === -1 ? this.#tables.push(table) - 1 : known;
  }
}
