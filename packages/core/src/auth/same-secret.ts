import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a caller has given the secret that is stored: in a time that depends neither on where they differ nor on their lengths.
 * Every such comparison goes through here, but for those of the libraries that check passwords and signatures.
 */
export const isSameSecret = (given: string, stored: string): boolean => timingSafeEqual(hashOf(given), hashOf(stored));

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
