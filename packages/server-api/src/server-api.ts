import { type AnsweredRequests, type Core, type Millis, TandemError } from '@tandem/core';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { Authenticator, isPublicPath, LOGIN_PATHS } from './auth/authenticator';
import { LoginQueue } from './auth/login-queue';
import { SigningKey } from './auth/signing-key';
import { Tokens } from './auth/tokens';
import { allowOrigin, answerPreflight } from './http/cross-origin';
import { pathOf } from './http/path';
import { openApiDocument } from './openapi/document';
import { openApiPages } from './openapi/pages';
import { routeTable } from './routes';
import { Dispatcher, shuttingDown } from './routing/dispatcher';
import { mountRoutes } from './routing/mount';
import type { Route } from './routing/route';
import { createWebSocketApi, type WebSocketApi } from './websocket/web-socket-api';

/** Two of libuv's four threads, so that logins never starve the rest. */
const LOGIN_LIMITS = { concurrent: 2, waiting: 64 };

export interface ServerApi {
  /**
   * To be mounted at the root: answers all of `/api` but `/api/v1`, and the description of it below `/openapi`; passes
   * everything else on.
   */
  readonly router: Router;
  /** What requests are counted by that are refused before they come here. */
  readonly refused: AnsweredRequests;
  /** Whether it answers and counts what is asked for at that URL. */
  takes(url: string): boolean;
  /** Live values on the same port. */
  readonly webSockets: WebSocketApi;
  /** What is mounted: one row for each call. */
  readonly routes: readonly Route[];
  /** They as an OpenAPI 3.1 document. */
  describe(): object;
  /**
   * Ends waiting calls with 503 and Retry-After and WebSockets with 1001, refuses new ones. Resolves when all are answered but those whose clients
   * do not end their requests.
   * @param patience how long what waits for the store may take until it is answered so as well
   */
  close(patience: Millis): Promise<void>;
}

/** The REST subset that drives devices (server contract). @param version of the gateway, for the description */
export async function createServerApi(core: Core, version: string): Promise<ServerApi> {
  const { settings, clock, random, metrics } = core;
  const key = new SigningKey(core.state);
  await key.get();
  const tokens = new Tokens(
    key,
    {
      issuer: settings.JWT_TOKEN_ISSUER,
      accessLifeSeconds: settings.JWT_TOKEN_EXPIRATION_TIME,
      refreshLifeSeconds: settings.JWT_REFRESH_TOKEN_EXPIRATION_TIME,
      verifiedMax: settings.TANDEM_TOKENS_CACHE_MAX,
    },
    clock,
    random,
    metrics,
  );
  const authenticator = new Authenticator(tokens, core.principals);
  const routes = routeTable(core, { tokens, authenticator, logins: new LoginQueue(LOGIN_LIMITS) });
  const webSockets = createWebSocketApi(core, authenticator);
  const dispatcher = new Dispatcher(core);
  const api = mountRoutes(routes, dispatcher);

  /** Before anything else is done for a stranger, the body included (server contract 1.1, 1.2). */
  const admit = async (request: Request): Promise<void> => {
    if (dispatcher.closing) throw shuttingDown();
    if (LOGIN_PATHS.has(pathOf(request.url)) && request.method !== 'POST') {
      throw new TandemError('UNAUTHORIZED', { message: 'Authentication method not supported' });
    }
    if (!isPublicPath(pathOf(request.url)))
      dispatcher.identify(request, await authenticator.authenticate(request.headers));
  };

  const router = Router();
  router.use(async (request: Request, response: Response, next: NextFunction) => {
    if (!isServerApiPath(pathOf(request.url))) return next();
    allowOrigin(request, response);
    if (answerPreflight(request, response)) return;
    dispatcher.begin(request, response);
    try {
      await admit(request);
    } catch (error) {
      return dispatcher.refuse(request, response, error);
    }
    if (response.writableEnded) return;
    api(request, response, next);
  });
  const describe = () => openApiDocument(routes, version);
  router.use(openApiPages(describe));
  return {
    router,
    refused: dispatcher.refused,
    takes: (url) => isServerApiPath(pathOf(url)),
    webSockets,
    routes,
    describe,
    async close(patience) {
      key.close();
      await Promise.all([dispatcher.close(patience), webSockets.close(patience)]);
    },
  };
}

const isServerApiPath = (path: string): boolean => /^\/api(?:\/|$)/.test(path) && !/^\/api\/v1(?:\/|$)/.test(path);
