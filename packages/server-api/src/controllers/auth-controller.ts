import { type Core, TandemError } from '@tandem/core';
import type { Authenticator } from '../auth/authenticator';
import type { LoginQueue } from '../auth/login-queue';
import type { Tokens } from '../auth/tokens';
import { looseReader } from '../http/body-reader';
import { isObject, parseStrictly } from '../http/json-body';
import { exactly, TEXT } from '../json/schema';
import { USER_ANSWER, userJson } from '../json/user-json';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { empty, json, type Reply } from '../routing/reply';
import { EVERYONE, type PublicRequest, type Route } from '../routing/route';

export interface AuthServices {
  readonly tokens: Tokens;
  readonly authenticator: Authenticator;
  readonly logins: LoginQueue;
}

/** Server contract 2, the rows about the caller's own session. */
export function authRoutes(core: Core, { tokens, authenticator, logins }: AuthServices): Route[] {
  const refused = core.metrics.counter('tandem_logins_refused_total', 'Logins with wrong or inactive credentials');

  const login = async (request: PublicRequest): Promise<Reply> => {
    const { username, password } = await request.body(readLogin);
    const outcome = await logins.run(() => core.accounts.login(username, password), request.signal);
    if (outcome.kind === 'user') return json(await tokens.issue(outcome.user, core.random.uuid()));
    refused.add();
    core.logger.warn('login refused', { reason: outcome.kind });
    throw new TandemError('UNAUTHORIZED', {
      message: outcome.kind === 'inactive' ? 'User account is not active' : 'Invalid username or password',
    });
  };

  const refresh = async (request: PublicRequest): Promise<Reply> => {
    const token = await request.body(readRefreshToken);
    const { user, sessionId } = await authenticator.authenticateRefresh(token);
    return json(await tokens.issue(user, sessionId));
  };

  return [
    {
      method: 'POST',
      path: '/api/auth/login',
      summary: 'Log in',
      authorities: 'public',
      body: readLogin,
      answer: TOKENS,
      handle: login,
    },
    {
      method: 'POST',
      path: '/api/auth/token',
      summary: 'New tokens for a refresh token',
      authorities: 'public',
      body: readRefreshToken,
      answer: TOKENS,
      handle: refresh,
    },
    {
      method: 'GET',
      path: '/api/auth/user',
      summary: 'The account of the caller',
      authorities: EVERYONE,
      refusal: 'json',
      answer: jsonAnswer(USER_ANSWER),
      handle: async ({ caller }) => json(userJson(caller.user)),
    },
    {
      method: 'POST',
      path: '/api/auth/logout',
      summary: 'Log out',
      authorities: EVERYONE,
      refusal: 'json',
      answer: EMPTY,
      handle: async () => empty(),
    },
  ];
}

const TOKENS = jsonAnswer(
  exactly('TokenPair', { token: TEXT, refreshToken: TEXT, scope: { enum: [null, 'PRE_VERIFICATION_TOKEN'] } }),
);

const texts = (...names: readonly string[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

/** What is no login at all is refused like a failed one (server contract 1.2). */
const readLogin = looseReader(texts('username', 'password'), (bytes) => {
  const body = parseStrictly(bytes)?.value;
  const { username, password } = isObject(body) ? body : {};
  if (typeof username !== 'string' || typeof password !== 'string' || !username.trim() || !password) {
    throw new TandemError('UNAUTHORIZED');
  }
  return { username, password };
});

const readRefreshToken = looseReader(texts('refreshToken'), (bytes) => {
  const body = parseStrictly(bytes)?.value;
  const token = isObject(body) ? body.refreshToken : undefined;
  if (typeof token !== 'string') throw new TandemError('UNAUTHORIZED');
  return token;
});
