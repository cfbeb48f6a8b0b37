import type { Core } from '@tandem/core';
import { attributesRoutes } from './controllers/attributes-controller';
import { type AuthServices, authRoutes } from './controllers/auth-controller';
import { deviceRoutes } from './controllers/device-controller';
import { deviceCredentialsRoutes } from './controllers/device-credentials-controller';
import { deviceProfileRoutes } from './controllers/device-profile-controller';
import { persistentRpcRoutes } from './controllers/persistent-rpc-controller';
import { rpcRoutes } from './controllers/rpc-controller';
import { timeSeriesRoutes } from './controllers/time-series-controller';
import type { Route } from './routing/route';

/** Every call of the server API. */
export const routeTable = (core: Core, auth: AuthServices): readonly Route[] => [
  ...authRoutes(core, auth),
  ...deviceRoutes(core),
  ...deviceCredentialsRoutes(core),
  ...deviceProfileRoutes(core),
  ...attributesRoutes(core),
  ...timeSeriesRoutes(core),
  ...rpcRoutes(core),
  ...persistentRpcRoutes(core),
];
