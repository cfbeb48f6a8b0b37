import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '@tandem/core';
import { makeDataFolder } from '../store/open-store';

const NAME = 'initial-admin-password';
const DRAFT = /^initial-admin-password\.[0-9a-f-]{36}$/;
const LENGTH = 24;

/**
 * The generated password of the first administrator, in a file of the data folder that only its owner can read. It is
 * written as a draft before the account is made, so that a process that dies in between loses no password, and gets its
 * name from whoever made the account: of processes that start at once, one.
 */
export class InitialPassword {
  readonly file: string;
  #draft: string | undefined;

  constructor(
    private readonly folder: string,
    private readonly random: Random,
  ) {
    this.file = join(folder, NAME);
  }

  /** A new password, on the disk. @throws Error in one line that names the setting */
  draft(): string {
    const password = this.random.alphanumeric(LENGTH);
    makeDataFolder(this.folder);
    const draft = join(this.folder, `${NAME}.${this.random.uuid()}`);
    try {
      writeFileSync(draft, `${password}\n`, { mode: 0o600, flag: 'wx', flush: true });
    } catch (error) {
      throw new Error(
        `The first administrator's password cannot be written: ${(error as Error).message} ` +
          '(TANDEM_DATA_DIR, or give a TANDEM_ADMIN_PASSWORD)',
      );
    }
    this.#draft = draft;
    return password;
  }

  /** The account was made with the password of the draft. */
  keep(): void {
    if (this.#draft) this.#name(this.#draft);
  }

  /**
   * The account was there: clears away drafts, also those of processes that died.
   * @param fits whether the account has that password
   * @returns whether one of them did, and has its name by now
   */
  async settle(fits: (password: string) => Promise<boolean>): Promise<boolean> {
    let kept = false;
    for (const draft of this.#drafts()) {
      const password = this.#read(draft);
      if (password !== undefined && (await fits(password))) kept = this.#name(draft) || kept;
      else rmSync(draft, { force: true });
    }
    return kept;
  }

  #drafts(): string[] {
    try {
      return readdirSync(this.folder)
        .filter((name) => DRAFT.test(name))
        .map((name) => join(this.folder, name));
    } catch {
      // Nothing was ever written there.
      return [];
    }
  }

  /** Undefined where another process has cleared it away. */
  #read(draft: string): string | undefined {
    try {
      return readFileSync(draft, 'utf8').trimEnd();
    } catch {
      return undefined;
    }
  }

  /** @returns false where another process on this folder was faster */
  #name(draft: string): boolean {
    try {
      renameSync(draft, this.file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }
}
