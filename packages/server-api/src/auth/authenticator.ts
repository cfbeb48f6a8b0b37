import type { IncomingHttpHeaders } from 'node:http';
import { type Account, type Principals, TandemError } from '@tandem/core';
import type { Principal } from './principal';
import type { TokenPair, TokenSubject, Tokens } from './tokens';

const CREDENTIALS = /^(Bearer|ApiKey) +(\S+)$/i;

/** Bearer tokens and API keys in `X-Authorization`; in `Authorization` only where that is absent or empty (server contract 1.1). */
export class Authenticator {
  constructor(
    private readonly tokens: Tokens,
    private readonly principals: Principals,
  ) {}

  /**
   * @throws TandemError UNAUTHORIZED, also when the account is gone or disabled by now, or the session was ended;
   * TOKEN_EXPIRED
   */
  async authenticate(headers: IncomingHttpHeaders): Promise<Principal> {
    const own = headers['x-authorization'];
    const header = String(own ?? '').trim() || headers.authorization;
    const [, scheme, value] = CREDENTIALS.exec(header ?? '') ?? [];
    if (scheme === undefined || value === undefined) throw new TandemError('UNAUTHORIZED');
    return scheme.toLowerCase() === 'bearer' ? this.authenticateToken(value) : this.#ofApiKey(value);
  }

  /** @param token an access token. @throws TandemError as `authenticate` */
  async authenticateToken(token: string): Promise<Principal> {
    const subject = await this.tokens.readAccess(token);
    return principalOf(await this.#account(subject), subject);
  }

  /** New tokens of the same session. @throws TandemError as `authenticate` */
  async refresh(refreshToken: string): Promise<TokenPair> {
    const subject = await this.tokens.readRefresh(refreshToken);
    const found = await this.#account(subject);
    return 'credentials' in found
      ? this.tokens.issue(found, subject.sessionId)
      : this.tokens.issuePublic(found.user, subject.sessionId);
  }

  async #ofApiKey(value: string): Promise<Principal> {
    const { user } = await this.principals.ofApiKey(value);
    return { user, sessionId: undefined, isPublic: false };
  }

  async #account(subject: TokenSubject): Promise<Account | Pick<Account, 'user'>> {
    if (subject.kind === 'user') return this.principals.ofSession(subject);
    return { user: await this.principals.ofPublicCustomer(subject.customerId) };
  }
}

const principalOf = ({ user }: Pick<Account, 'user'>, { kind, sessionId }: TokenSubject): Principal => ({
  user,
  sessionId,
  isPublic: kind === 'public',
});

/** Paths below `/api` that need no login (server contract 1.1); `/api/ws` authenticates by itself. */
export const isPublicPath = (path: string): boolean =>
  LOGIN_PATHS.has(path) || /^\/api\/(?:noauth|ws)(?:\/|$)/.test(path);

/** Where another method than POST is refused as an authentication (server contract 1.2). */
export const LOGIN_PATHS: ReadonlySet<string> = new Set([
  '/api/auth/login',
  '/api/auth/login/public',
  '/api/auth/token',
]);
