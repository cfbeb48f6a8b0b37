import { type Core, TandemError } from '@tandem/core';
import type { Authenticator } from '../auth/authenticator';
import type { LoginQueue } from '../auth/login-queue';
import type { Tokens } from '../auth/tokens';
import { bodyReader, looseReader } from '../http/body-reader';
import { isObject, parseStrictly } from '../http/json-body';
import { parseUuid } from '../http/path';
import { exactly, TEXT } from '../json/schema';
import { USER_ANSWER, userJson } from '../json/user-json';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, EVERYONE, type PublicRequest, type Route } from '../routing/route';

export interface AuthServices {
  readonly tokens: Tokens;
  readonly authenticator: Authenticator;
  readonly logins: LoginQueue;
}

/** Server contract 2, the rows about the caller's own session. */
export function authRoutes(core: Core, { tokens, authenticator, logins }: AuthServices): Route[] {
  const refused = core.metrics.counter('tandem_logins_refused_total');

  const login = async (request: PublicRequest): Promise<Reply> => {
    const { username: email, password } = await request.body(readLogin);
    const attempt = { email, address: request.address() };
    try {
      // Nobody who is locked takes a place in the queue.
      await core.logins.admit(attempt);
      const account = await logins.run(() => core.logins.login({ ...attempt, password }), request.signal);
      return json(await tokens.issue(account, core.random.uuid()));
    } catch (error) {
      if (error instanceof TandemError && error.code === 'UNAUTHORIZED') {
        refused.add();
        core.logger.warn('login refused', { reason: error.message, address: attempt.address });
      }
      throw error;
    }
  };

  const loginPublic = async (request: PublicRequest): Promise<Reply> => {
    const customerId = await request.body(readPublicId);
    const look = () => core.principals.ofPublicCustomer(customerId);
    const user = await core.logins.guess(request.address(), look);
    return json(await tokens.issuePublic(user, core.random.uuid()));
  };

  const refresh = async (request: PublicRequest): Promise<Reply> =>
    json(await authenticator.refresh(await request.body(readRefreshToken)));

  const user = async ({ caller }: ApiRequest): Promise<Reply> => jsonText(userJson(caller.user));

  const logout = async ({ caller }: ApiRequest): Promise<Reply> => {
    // Anybody can have another session of a public customer; an API key is no session.
    if (caller.sessionId !== undefined && !caller.isPublic) {
      await core.logins.endSession(caller.user.id, caller.sessionId);
    }
    return empty();
  };

  const changePassword = async (request: ApiRequest): Promise<Reply> => {
    const { currentPassword: current, newPassword: next } = await request.body(readPasswords);
    const change = { address: request.address(), current, next };
    const account = await logins.run(() => core.logins.changePassword(request.caller.user.id, change), request.signal);
    return json(await tokens.issue(account, core.random.uuid()));
  };

  const own = { authorities: EVERYONE, refusal: 'json' } as const;
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
      path: '/api/auth/login/public',
      summary: 'Tokens for whoever knows the id of a public customer',
      authorities: 'public',
      body: readPublicId,
      answer: TOKENS,
      handle: loginPublic,
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
      ...own,
      publicToo: true,
      answer: jsonAnswer(USER_ANSWER),
      handle: user,
    },
    {
      method: 'POST',
      path: '/api/auth/logout',
      summary: 'End the session: none of its tokens is good any more',
      ...own,
      publicToo: true,
      answer: EMPTY,
      handle: logout,
    },
    {
      method: 'POST',
      path: '/api/auth/changePassword',
      summary: "Set another password, and end all of the caller's sessions but the new one",
      ...own,
      body: readPasswords,
      answer: TOKENS,
      handle: changePassword,
    },
  ];
}

export const TOKENS = jsonAnswer(
  exactly('TokenPair', { token: TEXT, refreshToken: TEXT, scope: { enum: [null, 'PRE_VERIFICATION_TOKEN'] } }),
);

const texts = (...names: readonly string[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
});

/** What is no login at all is refused like a failed one (server contract 1.2). */
const readLogin = looseReader(texts('username', 'password'), (bytes) => {
  const { username, password } = membersOf(bytes);
  if (typeof username !== 'string' || typeof password !== 'string' || !username.trim() || !password) {
    throw new TandemError('UNAUTHORIZED');
  }
  return { username, password };
});

const readPublicId = looseReader(texts('publicId'), (bytes) => {
  const { publicId } = membersOf(bytes);
  const id = typeof publicId === 'string' ? parseUuid(publicId) : undefined;
  if (id === undefined) throw new TandemError('UNAUTHORIZED');
  return id;
});

const readRefreshToken = looseReader(texts('refreshToken'), (bytes) => {
  const { refreshToken } = membersOf(bytes);
  if (typeof refreshToken !== 'string') throw new TandemError('UNAUTHORIZED');
  return refreshToken;
});

const readPasswords = bodyReader<{ readonly currentPassword: string; readonly newPassword: string }>(
  texts('currentPassword', 'newPassword'),
);

/** None where it is no JSON object. */
function membersOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  const body = parseStrictly(bytes)?.value;
  return isObject(body) ? body : {};
}
