import type { User } from '@tandem/core';

/** Who sends a request: the account as it is stored now, not as it was when the token was made. */
export interface Principal {
  readonly user: User;
  /** Undefined for an API key, which is no session. */
  readonly sessionId: string | undefined;
  /** Anybody, who acts for a public customer. */
  readonly isPublic: boolean;
}
