import type { KeyObject } from 'node:crypto';
import {
  type Account,
  type Clock,
  type MetricsRegistry,
  type Random,
  TandemError,
  type User,
  type Uuid,
} from '@tandem/core';
import jwt, { type JwtPayload } from 'jsonwebtoken';
import { parseUuid } from '../http/path';
import type { SigningKey } from './signing-key';
import { type Claims, VerifiedTokens } from './verified-tokens';

const ALGORITHM = 'HS512';
const REFRESH_SCOPE = 'REFRESH_TOKEN';

/** Server contract 2. `scope` is set in the two-factor stage only. */
export interface TokenPair {
  readonly token: string;
  readonly refreshToken: string;
  readonly scope: null;
}

export interface TokenSettings {
  readonly issuer: string;
  readonly accessLifeSeconds: number;
  readonly refreshLifeSeconds: number;
  /** Tokens that are remembered with what they say. */
  readonly verifiedMax: number;
}

/** What a token is believed to say; the account behind it is looked up at every use. */
export type TokenSubject =
  | {
      readonly kind: 'user';
      readonly userId: Uuid;
      readonly sessionId: string;
      /** Of the account's credentials: tokens of another one are void. */
      readonly generation: number;
    }
  | { readonly kind: 'public'; readonly customerId: Uuid; readonly sessionId: string };

/** JSON Web Tokens of the server API: real ones, since clients decode them (server contract 1.1). */
export class Tokens {
  readonly #verified: VerifiedTokens;

  constructor(
    private readonly key: SigningKey,
    private readonly settings: TokenSettings,
    private readonly clock: Clock,
    private readonly random: Random,
    metrics: MetricsRegistry,
  ) {
    this.#verified = new VerifiedTokens(settings.verifiedMax);
    metrics.gauge('tandem_tokens_verified', () => this.#verified.size);
  }

  /** `enabled` says whether the user has a password and may use it. @throws TandemError STORE_UNAVAILABLE */
  issue({ user, credentials }: Account, sessionId: string): Promise<TokenPair> {
    const enabled = credentials.enabled && credentials.passwordHash !== null;
    return this.#issue(user, { enabled, isPublic: false }, { sessionId, generation: credentials.generation });
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  issuePublic(user: User, sessionId: string): Promise<TokenPair> {
    return this.#issue(user, { enabled: true, isPublic: true }, { sessionId });
  }

  async #issue(
    user: User,
    { enabled, isPublic }: { readonly enabled: boolean; readonly isPublic: boolean },
    session: { readonly sessionId: string; readonly generation?: number },
  ): Promise<TokenPair> {
    const key = await this.key.get();
    const { accessLifeSeconds, refreshLifeSeconds } = this.settings;
    const base = { sub: user.email, userId: user.id, ...session, isPublic };
    const token = this.#sign(key, accessLifeSeconds, {
      ...base,
      scopes: [user.authority],
      enabled,
      tenantId: user.tenantId,
      customerId: user.customerId,
      ...(user.firstName === null ? {} : { firstName: user.firstName }),
      ...(user.lastName === null ? {} : { lastName: user.lastName }),
    });
    const refreshToken = this.#sign(key, refreshLifeSeconds, {
      ...base,
      scopes: [REFRESH_SCOPE],
      jti: this.random.uuid(),
    });
    return { token, refreshToken, scope: null };
  }

  /** @throws TandemError UNAUTHORIZED, TOKEN_EXPIRED, STORE_UNAVAILABLE */
  readAccess(token: string): Promise<TokenSubject> {
    return this.#read(token, (scope) => scope !== REFRESH_SCOPE);
  }

  /** @throws TandemError UNAUTHORIZED, TOKEN_EXPIRED, STORE_UNAVAILABLE */
  readRefresh(token: string): Promise<TokenSubject> {
    return this.#read(token, (scope) => scope === REFRESH_SCOPE);
  }

  #sign(key: KeyObject, lifeSeconds: number, claims: JwtPayload): string {
    const iat = this.#nowSeconds();
    return jwt.sign({ ...claims, iss: this.settings.issuer, iat, exp: iat + lifeSeconds }, key, {
      algorithm: ALGORITHM,
    });
  }

  async #read(token: string, fits: (scope: string) => boolean): Promise<TokenSubject> {
    const claims = this.#verify(token, await this.key.get());
    const scopes: unknown = claims.scopes;
    const scope: unknown = Array.isArray(scopes) && scopes.length === 1 ? scopes[0] : undefined;
    const subject = typeof scope === 'string' && fits(scope) ? subjectOf(claims) : undefined;
    if (!subject) throw new TandemError('UNAUTHORIZED');
    return subject;
  }

  #verify(token: string, key: KeyObject): JwtPayload {
    const clockTimestamp = this.#nowSeconds();
    const known = this.#verified.get(token, key, clockTimestamp);
    if (known) return known;
    try {
      const claims = jwt.verify(token, key, {
        algorithms: [ALGORITHM],
        issuer: this.settings.issuer,
        clockTimestamp,
      });
      // jsonwebtoken lets a token without `exp` live for ever.
      if (typeof claims === 'object' && hasEnd(claims)) {
        this.#verified.keep(token, key, claims);
        return claims;
      }
    } catch (error) {
      if (error instanceof jwt.TokenExpiredError) throw new TandemError('TOKEN_EXPIRED');
    }
    throw new TandemError('UNAUTHORIZED');
  }

  #nowSeconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

const hasEnd = (claims: JwtPayload): claims is Claims => typeof claims.exp === 'number';

function subjectOf({ sub, userId, sessionId, generation, isPublic }: JwtPayload): TokenSubject | undefined {
  if (typeof sessionId !== 'string') return undefined;
  const id = parseUuid(String(isPublic === true ? sub : userId));
  if (id === undefined) return undefined;
  if (isPublic === true) return { kind: 'public', customerId: id, sessionId };
  return typeof generation === 'number' ? { kind: 'user', userId: id, sessionId, generation } : undefined;
}
