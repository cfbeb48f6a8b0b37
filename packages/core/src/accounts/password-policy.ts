import { TandemError } from '../errors';

/** @throws TandemError PASSWORD_VIOLATION for a password that nobody may have (server contract 1.2, code 45) */
export function requireGoodPassword(password: string, minLength: number): void {
  if ([...password].length < minLength) {
    throw new TandemError('PASSWORD_VIOLATION', {
      message: `Password must be ${minLength} or more characters in length`,
    });
  }
}
