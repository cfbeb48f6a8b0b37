export { type PageFile, pageFiles } from './http/page-files';
export type { GuardedRoute, Method, PublicRoute, Route } from './routing/route';
export { createServerApi, type ServerApi } from './server-api';
