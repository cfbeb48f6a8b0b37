import { TandemError } from '@tandem/core';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { pathOf } from '../http/path';
import type { Method, Route } from './route';

export interface Serving {
  serve(route: Route, request: Request, response: Response): Promise<void>;
  refuse(request: Request, response: Response, error: unknown): void;
}

const VERBS = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const;

/** The route table as one handler. It answers every request that it gets: 404 and 405 are its own. */
export function mountRoutes(routes: readonly Route[], serving: Serving): RequestHandler {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(groupOf(route.path), [...(groups.get(groupOf(route.path)) ?? []), route]);
  const routers = new Map([...groups].map(([group, ofGroup]) => [group, mountGroup(ofGroup, serving)]));
  const none = mountGroup([], serving);
  return (request, response, next) => (routers.get(groupOf(pathOf(request.url))) ?? none)(request, response, next);
}

/**
 * `device` of `/api/device/{deviceId}`. Express tries one route after the other: a router for each group has few to try,
 * however many there are in all.
 */
const groupOf = (path: string): string => path.split('/', 3)[2] ?? '';

function mountGroup(routes: readonly Route[], { serve, refuse }: Serving): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const methods = new Map<string, Method[]>();
  for (const route of [...routes].sort(literalsFirst)) {
    const path = expressPath(route.path);
    router[VERBS[route.method]](path, (request, response) => serve(route, request, response));
    methods.set(path, [...(methods.get(path) ?? []), route.method]);
  }

  // Several paths of the table can fit one URL, so the allowed methods are gathered over all of them.
  const allowed = new WeakMap<Request, Set<string>>();
  for (const [path, ofPath] of methods) {
    router.all(path, (request, _response, next) => {
      allowed.set(request, new Set([...(allowed.get(request) ?? []), ...ofPath]));
      next();
    });
  }
  router.use((request: Request, response: Response) => {
    const others = allowed.get(request);
    if (!others) return refuse(request, response, new TandemError('NOT_FOUND'));
    response.setHeader('Allow', [...others].join(', '));
    const message = `Request method '${request.method}' is not supported`;
    refuse(request, response, new TandemError('METHOD_NOT_ALLOWED', { message }));
  });
  router.use((error: unknown, request: Request, response: Response, _next: unknown) =>
    refuse(request, response, error),
  );
  return router;
}

const expressPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

/** `/api/deviceProfileInfo/default` is to be tried before `/api/deviceProfileInfo/{id}`. */
function literalsFirst(a: Route, b: Route): number {
  const shape = (route: Route) => route.path.replace(/\{\w+\}/g, '\uffff');
  return shape(a) < shape(b) ? -1 : 1;
}
