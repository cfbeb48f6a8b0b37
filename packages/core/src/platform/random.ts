import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** Randomness as a parameter. Everything a stranger must not guess comes from the operating system's source. */
export interface Random {
  uuid(): string;
  /** `length` characters out of letters and digits: the form of a generated access token (server contract 3.1). */
  alphanumeric(length: number): string;
  bytes(length: number): Buffer;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const systemRandom: Random = {
  uuid: () => randomUUID(),
  alphanumeric(length) {
    let text = '';
    for (let i = 0; i < length; i++) text += ALPHANUMERIC[randomInt(ALPHANUMERIC.length)];
    return text;
  },
  bytes: (length) => randomBytes(length),
  fraction: () => Math.random(),
};
