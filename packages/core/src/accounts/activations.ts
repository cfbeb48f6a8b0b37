import { isSameSecret } from '../auth/same-secret';
import type { Account, Activation, UserCredentials, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import { changeCredentials } from './credentials-change';
import { requireGoodPassword } from './password-policy';
import { hashPassword } from './passwords';

const TOKEN_LENGTH = 30;
/** A token with less time left is not handed out again. */
const SHORTEST_LEFT: Millis = 900_000;

export interface ActivationSettings {
  readonly tokenLife: Millis;
  readonly passwordMinLength: number;
}

/** The first password of a user, set by whoever has the link. */
export class Activations {
  constructor(
    private readonly store: AccountStore,
    private readonly settings: ActivationSettings,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /**
   * What lets the user set a password: the same for all who ask, until it has nearly expired.
   * @throws TandemError BAD_REQUEST for one who has a password, NOT_FOUND
   */
  async tokenFor(userId: Uuid): Promise<Activation> {
    const now = this.clock.now();
    const { tokenLife } = this.settings;
    const fresh = { token: this.random.alphanumeric(TOKEN_LENGTH), expiresAt: now + tokenLife };
    const atLeast = now + Math.min(SHORTEST_LEFT, tokenLife / 2);
    const credentials = await changeCredentials(this.store, userId, (stored) => {
      if (stored.passwordHash !== null) {
        throw new TandemError('BAD_REQUEST', { message: 'User is already activated!' });
      }
      return stored.activation && stored.activation.expiresAt > atLeast ? undefined : { ...stored, activation: fresh };
    });
    if (!credentials?.activation) throw new TandemError('NOT_FOUND');
    return credentials.activation;
  }

  async isGood(token: string): Promise<boolean> {
    return (await this.#find(token)) !== undefined;
  }

  /**
   * Sets the first password. The token is good once.
   * @throws TandemError BAD_REQUEST for a token that is not good, UNAUTHORIZED for a disabled user, whose token stays good;
   * PASSWORD_VIOLATION
   */
  async activate(token: string, password: string): Promise<Account> {
    const account = await this.#find(token);
    if (!account) throw notGood();
    requireActive(account.credentials);
    requireGoodPassword(password, this.settings.passwordMinLength);
    const passwordHash = await hashPassword(password);
    const credentials = await changeCredentials(this.store, account.user.id, (stored) => {
      if (!this.#isActivation(stored.activation, token)) throw notGood();
      requireActive(stored);
      return { ...stored, passwordHash, activation: null };
    });
    if (!credentials) throw notGood();
    return { user: account.user, credentials };
  }

  async #find(token: string): Promise<Account | undefined> {
    if (token === '') return undefined;
    const account = await this.store.findAccountByActivation(token);
    return account && this.#isActivation(account.credentials.activation, token) ? account : undefined;
  }

  #isActivation(activation: Activation | null, token: string, now: EpochMillis = this.clock.now()): boolean {
    return activation !== null && isSameSecret(token, activation.token) && activation.expiresAt > now;
  }
}

function requireActive({ enabled }: UserCredentials): void {
  if (!enabled) throw new TandemError('UNAUTHORIZED', { message: 'User account is not active' });
}

const notGood = () =>
  new TandemError('BAD_REQUEST', { message: 'The activation token is unknown, was used, or has expired' });
