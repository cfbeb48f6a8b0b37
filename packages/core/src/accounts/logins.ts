import type { Account, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { AccountStore } from '../state/account-store';
import { changeCredentials, endAll } from './credentials-change';
import type { LoginAttempt, LoginGuard } from './login-guard';
import { requireGoodPassword } from './password-policy';
import { hashPassword, verifyPassword } from './passwords';

export interface LoginSettings {
  readonly passwordMinLength: number;
  /** Of one user. */
  readonly endedSessionsMax: number;
  /** After this none of a session's tokens is good any more. */
  readonly sessionLife: Millis;
}

export interface PasswordAttempt extends LoginAttempt {
  readonly email: string;
  readonly password: string;
}

/** Passwords, and the sessions that they open. */
export class Logins {
  constructor(
    private readonly store: AccountStore,
    private readonly guard: LoginGuard,
    private readonly settings: LoginSettings,
    private readonly clock: Clock,
  ) {}

  /** To be asked before a login is given a place in any queue. @throws as `login`, for those who are locked */
  admit(attempt: LoginAttempt): Promise<void> {
    return this.guard.admit(attempt);
  }

  /**
   * Whether an account is inactive is told to its owner only: where the password fits. Nothing tells whether there is an
   * account.
   * @throws TandemError UNAUTHORIZED with the sentences of server contract 1.2; TOO_MANY_REQUESTS
   */
  async login(attempt: PasswordAttempt): Promise<Account> {
    // Others may have guessed while this one waited for its turn.
    await this.guard.admit(attempt);
    const account = await this.store.findAccountByEmail(attempt.email.toLowerCase());
    const fits = await verifyPassword(attempt.password, account?.credentials.passwordHash ?? null);
    if (!fits || !account) {
      await this.guard.failed(attempt);
      throw new TandemError('UNAUTHORIZED', { message: 'Invalid username or password' });
    }
    await this.guard.succeeded(attempt);
    if (!account.credentials.enabled) {
      throw new TandemError('UNAUTHORIZED', { message: 'User account is not active' });
    }
    return account;
  }

  /**
   * For what lets in whoever knows it without a password, as the id of a public customer: who guesses is counted by address.
   * @param look throws UNAUTHORIZED for a wrong guess
   * @throws TandemError TOO_MANY_REQUESTS for an address that is locked; and what `look` throws
   */
  async guess<T>(address: string, look: () => Promise<T>): Promise<T> {
    await this.guard.admit({ address });
    try {
      return await look();
    } catch (error) {
      if (error instanceof TandemError && error.code === 'UNAUTHORIZED') await this.guard.failed({ address });
      throw error;
    }
  }

  /**
   * Sets another password. Who does not know the present one has guessed wrong, as at a login. Every session of the user
   * ends.
   * @throws TandemError BAD_REQUEST, PASSWORD_VIOLATION, NOT_FOUND; UNAUTHORIZED and TOO_MANY_REQUESTS for those who are
   * locked
   */
  async changePassword(
    userId: Uuid,
    { address, current, next }: { readonly address: string; readonly current: string; readonly next: string },
  ): Promise<Account> {
    const account = await this.store.getAccount(userId);
    if (!account) throw new TandemError('NOT_FOUND');
    const attempt = { email: account.user.email, address };
    await this.guard.admit(attempt);
    if (!(await verifyPassword(current, account.credentials.passwordHash))) {
      await this.guard.failed(attempt);
      throw new TandemError('BAD_REQUEST', { message: "Current password doesn't match!" });
    }
    await this.guard.succeeded(attempt);
    requireGoodPassword(next, this.settings.passwordMinLength);
    if (next === current) {
      throw new TandemError('BAD_REQUEST', { message: 'New password should be different from existing!' });
    }
    const passwordHash = await hashPassword(next);
    const changed = await changeCredentials(this.store, userId, (stored) => endAll({ ...stored, passwordHash }));
    if (!changed) throw new TandemError('NOT_FOUND');
    return { user: account.user, credentials: changed };
  }

  /**
   * Ends one session of the user: none of its tokens is good any more, in any process. Of how many sessions a user has
   * ended is remembered for as long as their tokens would be good; of more than are remembered, all sessions end.
   */
  async endSession(userId: Uuid, sessionId: string): Promise<void> {
    const now = this.clock.now();
    const ended = { sessionId, until: now + this.settings.sessionLife };
    await changeCredentials(this.store, userId, (stored) => {
      const known = stored.endedSessions.filter(({ until }) => until > now);
      if (known.some((session) => session.sessionId === sessionId)) return undefined;
      if (known.length >= this.settings.endedSessionsMax) return endAll(stored);
      return { ...stored, endedSessions: [...known, ended] };
    });
  }

  /** A user who is disabled can do nothing any more; whoever is enabled again has to log in. @throws NOT_FOUND */
  async setEnabled(userId: Uuid, enabled: boolean): Promise<void> {
    const changed = await changeCredentials(this.store, userId, (stored) =>
      stored.enabled === enabled ? undefined : endAll({ ...stored, enabled }),
    );
    if (!changed) throw new TandemError('NOT_FOUND');
  }
}
