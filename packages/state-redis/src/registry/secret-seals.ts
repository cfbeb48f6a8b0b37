import {
  credentialsWithin,
  currentUser,
  keysBesideFirst,
  keysInUse,
  keysInUseOfFirst,
  keysRetiring,
  type Logger,
  profileDataWithin,
  type SealedRecords,
  type SealedTable,
  SealPass,
  type SecretBox,
  SecretKeyError,
  type User,
} from '@tandem/core';
import { Commit, MOVED, PROOFS } from './commit';
import type { KeyProofs } from './key-proofs';
import { at, type RegistryReader } from './reader';
import { parseStoredProfile, renewedProfileText } from './records';
import type { Table } from './tables';
import type { RegistryWriter } from './writer';

/** Rows that are written in one commit. */
const PIECE = 100;

/** Adds to a commit what becomes of a row. @returns whether there is anything to do */
type Reseal = (commit: Commit, id: string, text: string) => boolean | Promise<boolean>;

export interface SecretSealsParts {
  readonly reader: RegistryReader;
  readonly writer: RegistryWriter;
  readonly keyProofs: KeyProofs;
  readonly records: SealedRecords;
  readonly box: SecretBox;
  readonly logger: Logger;
}

/** Secrets of the registry: which keys they need, and how all of them come to be sealed by the newest. */
export class SecretSeals {
  readonly #reader: RegistryReader;
  readonly #writer: RegistryWriter;
  readonly #records: SealedRecords;

  constructor(private readonly parts: SecretSealsParts) {
    this.#reader = parts.reader;
    this.#writer = parts.writer;
    this.#records = parts.records;
  }

  /** Before anything else is read: stops a start without the keys. @throws SecretKeyError */
  async proveKeys(): Promise<void> {
    await this.#changeProofs((stored) => keysInUse(this.parts.box, stored));
  }

  /** @returns what stood there, and what stands there now */
  async #changeProofs(change: (stored: string | undefined) => string | undefined) {
    const written = await this.#writer.write(async () => {
      const [stored] = await this.#reader.read(['meta', at(PROOFS)]);
      const wanted = change(stored);
      const commit = new Commit().unchanged('meta', PROOFS, stored);
      if (wanted !== undefined && wanted !== stored) commit.set('meta', PROOFS, wanted);
      return { value: { stored, wanted }, commit };
    });
    if (!written.ok) throw new Error(`the proofs of the keys ran into ${written.conflict}`);
    this.parts.keyProofs.note(written.value.wanted);
    return written.value;
  }

  /** From here on no other process writes what is sealed by another key, or by none: nothing comes behind the pass. */
  async #retireOthers(): Promise<string | undefined> {
    const { box, logger } = this.parts;
    const { stored, wanted } = await this.#changeProofs((text) => keysRetiring(box, text));
    const retired = keysBesideFirst(box, stored);
    if (retired.length > 0) {
      logger.warn(
        'processes that still encrypt with another key cannot write secrets until they are restarted with this one first',
        {
          otherKeys: retired,
          thisKey: box.keyIds[0],
        },
      );
    }
    return wanted;
  }

  /** @param proofs as they were when the pass began */
  async #keepFirstProof(proofs: string | undefined): Promise<void> {
    const { box } = this.parts;
    const proof = keysInUseOfFirst(box, proofs);
    await this.#changeProofs((stored) => {
      // Whoever comes with another key in front meanwhile needs its proof, and may have written with it.
      if (stored !== proofs && stored !== proof) {
        throw new SecretKeyError(
          'A process began to encrypt with another key meanwhile: start all processes with the same key first, then try again (TANDEM_SECRET_KEY_FILE)',
        );
      }
      return proof;
    });
  }

  /** As `State.sealSecrets`. */
  async seal(): Promise<number> {
    const { box, records } = this.parts;
    if (box.keyIds.length === 0) keysInUseOfFirst(box);
    const proofs = await this.#retireOthers();
    const pass = new SealPass();
    const rows = async (table: Table, reseal: Reseal) => pass.sealed(await this.#rows(table, reseal));
    const sealed = (table: Exclude<SealedTable, 'profiles'>): Promise<void> =>
      rows(table, (commit, id, text) => {
        const resealed = pass.tried(`${table} ${id}`, () => records.resealed(table, id, text));
        if (resealed !== undefined) commit.set(table, id, resealed);
        return resealed !== undefined;
      });
    // What an earlier version wrote says more in one row: it is taken apart first.
    await rows('users', (commit, id, text) => this.#user(commit, id, text));
    await rows('profiles', (commit, id, text) => this.#profile(pass, commit, id, text));
    for (const table of ['credentials', 'claims', 'user-credentials', 'profile-data', 'secrets'] as const) {
      await sealed(table);
    }
    await this.#keepFirstProof(proofs);
    return pass.end();
  }

  async #user(commit: Commit, id: string, text: string): Promise<boolean> {
    const record = JSON.parse(text) as User;
    const within = credentialsWithin(record);
    if (!within) return false;
    const [stored] = await this.#reader.read(['user-credentials', at(id)]);
    commit.unchanged('user-credentials', id, stored).set('users', id, JSON.stringify(currentUser(record)));
    if (stored === undefined) commit.set('user-credentials', id, this.#records.userCredentialsText(within));
    return true;
  }

  async #profile(pass: SealPass, commit: Commit, id: string, text: string): Promise<boolean> {
    const record = parseStoredProfile(text);
    const renewed = pass.tried(`profiles ${id}`, () => record && renewedProfileText(this.#records, record));
    if (!record || renewed === undefined) return false;
    commit.set('profiles', id, renewed);
    const within = profileDataWithin(record);
    if (within === undefined) return true;
    const [stored] = await this.#reader.read(['profile-data', at(id)]);
    commit.unchanged('profile-data', id, stored);
    if (stored === undefined) commit.set('profile-data', id, this.#records.profileDataText(id, within));
    return true;
  }

  /** The rows of a table, some at a time, so that others get their turn. */
  async #rows(table: Table, reseal: Reseal): Promise<number> {
    let count = 0;
    for await (const rows of this.#reader.pieces(table)) {
      const ids = [...rows.keys()];
      for (let from = 0; from < ids.length; from += PIECE) {
        const texts = new Map(ids.slice(from, from + PIECE).map((id) => [id, rows.get(id)]));
        count += await this.#piece(table, texts, reseal);
      }
    }
    return count;
  }

  /** In one commit; where others change some of it meanwhile, row by row. */
  async #piece(table: Table, texts: ReadonlyMap<string, string | undefined>, reseal: Reseal): Promise<number> {
    const { commit, count } = await plan(table, texts, reseal);
    if (count === 0) return 0;
    const refusal = await this.#writer.commit(commit);
    if (refusal === undefined) return count;
    if (refusal !== MOVED) throw new Error(`the secrets of ${table} ran into ${refusal}`);
    let done = 0;
    for (const id of texts.keys()) {
      const written = await this.#writer.write(async () => {
        const [text] = await this.#reader.read([table, at(id)]);
        const { commit: own, count: value } = await plan(table, new Map([[id, text]]), reseal);
        return { value, commit: own };
      });
      if (written.ok) done += written.value;
    }
    return done;
  }
}

async function plan(table: Table, texts: ReadonlyMap<string, string | undefined>, reseal: Reseal) {
  const commit = new Commit();
  let count = 0;
  for (const [id, text] of texts) {
    if (text === undefined || !(await reseal(commit, id, text))) continue;
    commit.unchanged(table, id, text);
    count++;
  }
  return { commit, count };
}
