import { createHash } from 'node:crypto';

/** Credentials are looked up by this in every store: the id itself is never a key (design section 9). */
export const credentialsHash = (credentialsId: string): string =>
  createHash('sha256').update(credentialsId).digest('hex');
