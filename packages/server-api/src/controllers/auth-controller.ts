import { type Core, TandemError } from '@tandem/core';
import type { Authenticator } from '../auth/authenticator';
import type { LoginQueue } from '../auth/login-queue';
import type { Tokens } from '../auth/tokens';
import { isObject, parseStrictly } from '../http/json-body';
import { userJson } from '../json/user-json';
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
    const { username, password } = await credentials(request);
    const outcome = await logins.run(() => core.accounts.login(username, password), request.signal);
    if (outcome.kind === 'user') return json(await tokens.issue(outcome.user, core.random.uuid()));
    refused.add();
    core.logger.warn('login refused', { reason: outcome.kind });
    throw new TandemError('UNAUTHORIZED', {
      message: outcome.kind === 'inactive' ? 'User account is not active' : 'Invalid username or password',
    });
  };

  const refresh = async (request: PublicRequest): Promise<Reply> => {
    const body = parseStrictly(await request.body('any'))?.value;
    const token = isObject(body) ? body.refreshToken : undefined;
    if (typeof token !== 'string') throw new TandemError('UNAUTHORIZED');
    const { user, sessionId } = await authenticator.authenticateRefresh(token);
    return json(await tokens.issue(user, sessionId));
  };

  return [
    { method: 'POST', path: '/api/auth/login', authorities: 'public', handle: login },
    { method: 'POST', path: '/api/auth/token', authorities: 'public', handle: refresh },
    {
      method: 'GET',
      path: '/api/auth/user',
      authorities: EVERYONE,
      refusal: 'json',
      handle: async ({ caller }) => json(userJson(caller.user)),
    },
    { method: 'POST', path: '/api/auth/logout', authorities: EVERYONE, refusal: 'json', handle: async () => empty() },
  ];
}

/** What is no login at all is refused like a failed one (server contract 1.2). */
async function credentials(request: PublicRequest): Promise<{ username: string; password: string }> {
  const body = parseStrictly(await request.body('any'))?.value;
  const { username, password } = isObject(body) ? body : {};
  if (typeof username !== 'string' || typeof password !== 'string' || !username.trim() || !password) {
    throw new TandemError('UNAUTHORIZED');
  }
  return { username, password };
}
