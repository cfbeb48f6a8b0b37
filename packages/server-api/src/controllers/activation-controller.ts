import type { Core } from '@tandem/core';
import { accessUser } from '../access/user-access';
import { bodyReader } from '../http/body-reader';
import { uuidParameter } from '../http/path';
import { exactly, TEXT, WHOLE } from '../json/schema';
import { jsonAnswer, TEXT as TEXT_ANSWER } from '../routing/answer';
import { required, textParameter } from '../routing/query-parameters';
import { empty, json, plainText, type Reply, seeOther } from '../routing/reply';
import { ADMINISTRATORS, type ApiRequest, type PublicRequest, type Route } from '../routing/route';
import { type AuthServices, TOKENS } from './auth-controller';

const CREATE_PASSWORD = '/login/createPassword';

/** Server contract 2, the rows about a user's first password. Nothing here sends mail. */
export function activationRoutes(core: Core, { tokens, logins }: AuthServices): Route[] {
  const linkFor = async (request: ApiRequest): Promise<{ readonly link: string; readonly expiresAt: number }> => {
    const user = await accessUser(core.users, request.caller, uuidParameter(request.params, 'userId'));
    const { token, expiresAt } = await core.activations.tokenFor(user.id);
    return { link: `${request.origin()}/api/noauth/activate?activateToken=${encodeURIComponent(token)}`, expiresAt };
  };

  const link = async (request: ApiRequest): Promise<Reply> => plainText(200, (await linkFor(request)).link);

  const linkInfo = async (request: ApiRequest): Promise<Reply> => {
    const { link: value, expiresAt } = await linkFor(request);
    return json({ value, ttlMs: expiresAt - core.clock.now() });
  };

  const check = async (request: PublicRequest): Promise<Reply> => {
    const token = request.query.requiredText('activateToken');
    if (!(await core.activations.isGood(token))) return empty(409);
    return seeOther(`${CREATE_PASSWORD}?activateToken=${encodeURIComponent(token)}`);
  };

  const activate = async (request: PublicRequest): Promise<Reply> => {
    const { activateToken, password } = await request.body(readActivation);
    const account = await logins.run(() => core.activations.activate(activateToken, password), request.signal);
    return json(await tokens.issue(account, core.random.uuid()));
  };

  const administrators = { authorities: ADMINISTRATORS, refusal: 'json' } as const;
  return [
    {
      method: 'GET',
      path: '/api/user/{userId}/activationLink',
      summary: 'The link with which a user sets the first password',
      ...administrators,
      answer: TEXT_ANSWER,
      handle: link,
    },
    {
      method: 'GET',
      path: '/api/user/{userId}/activationLinkInfo',
      summary: 'The link with which a user sets the first password, and how long it works',
      ...administrators,
      answer: jsonAnswer(exactly('ActivationLink', { value: TEXT, ttlMs: WHOLE })),
      handle: linkInfo,
    },
    {
      method: 'GET',
      path: '/api/noauth/activate',
      summary: 'Where the first password is set; 409 when the token is not good',
      authorities: 'public',
      query: [required(textParameter('activateToken'))],
      answer: { kind: 'redirect' },
      handle: check,
    },
    {
      method: 'POST',
      path: '/api/noauth/activate',
      summary: 'Set the first password',
      authorities: 'public',
      query: [textParameter('sendActivationMail', 'Of no effect: no mail is sent')],
      body: readActivation,
      answer: TOKENS,
      handle: activate,
    },
  ];
}

const readActivation = bodyReader<{ readonly activateToken: string; readonly password: string }>({
  type: 'object',
  required: ['activateToken', 'password'],
  properties: { activateToken: TEXT, password: TEXT },
});
