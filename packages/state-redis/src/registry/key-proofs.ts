import { type Clock, type Logger, type Millis, mayWrite, quietLogger, type SecretBox, TandemError } from '@tandem/core';
import { type Commit, PROOFS } from './commit';
import { at, type RegistryReader } from './reader';
import type { Table } from './tables';

const SEALED: readonly Table[] = ['credentials', 'user-credentials', 'profiles', 'profile-data', 'claims', 'secrets'];
/** How often it is said that this process cannot write. */
const SAY_AGAIN: Millis = 60_000;
const RETRY_AFTER: Millis = 60_000;

/**
 * Lets no secret be written that is sealed by a key which the store is being or has been sealed away from, or that is in clear where
 * others seal: each commit is checked in Redis itself, so there is no moment in between (adr/0039).
 */
export class KeyProofs {
  readonly #logger: Logger;
  #known: string | undefined;

  constructor(
    private readonly reader: RegistryReader,
    private readonly box: SecretBox,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#logger = quietLogger(logger, clock, SAY_AGAIN);
  }

  /** What stands in the store, as this process knows it. */
  note(text: string | undefined): void {
    this.#known = text;
  }

  /** Adds to a commit that writes secrets that it is made only while nothing has changed about the keys. */
  guard(commit: Commit): void {
    if (SEALED.some((table) => commit.sets(table))) commit.whileProofsAre(this.#known);
  }

  /**
   * Something has changed about them.
   * @throws TandemError STORE_UNAVAILABLE where this process must not write secrets any more
   */
  async renew(): Promise<void> {
    const [text] = await this.reader.read(['meta', at(PROOFS)]);
    // Otherwise what is known stays what does not hold: the next write is refused as well.
    if (mayWrite(this.box, text)) return this.note(text);
    this.#logger.error(
      'this process cannot write secrets: they are encrypted with another key by now; restart it with that key first in its file (TANDEM_SECRET_KEY_FILE)',
      { key: this.box.keyIds[0] ?? 'none' },
    );
    throw new TandemError('STORE_UNAVAILABLE', {
      message: 'The store cannot serve this',
      retryAfter: RETRY_AFTER,
    });
  }
}
