import type { Core } from '@tandem/core';
import { activationRoutes } from './controllers/activation-controller';
import { apiKeyRoutes } from './controllers/api-key-controller';
import { attributesRoutes } from './controllers/attributes-controller';
import { type AuthServices, authRoutes } from './controllers/auth-controller';
import { claimRoutes } from './controllers/claim-controller';
import { connectivityInfoRoutes } from './controllers/connectivity-info-controller';
import { customerRoutes } from './controllers/customer-controller';
import { deviceAssignmentRoutes } from './controllers/device-assignment-controller';
import { deviceRoutes } from './controllers/device-controller';
import { deviceCredentialsRoutes } from './controllers/device-credentials-controller';
import { deviceImportRoutes } from './controllers/device-import-controller';
import { deviceListRoutes } from './controllers/device-list-controller';
import { deviceProfileRoutes } from './controllers/device-profile-controller';
import { otaPackageRoutes } from './controllers/ota-package-controller';
import { persistentRpcRoutes } from './controllers/persistent-rpc-controller';
import { rpcRoutes } from './controllers/rpc-controller';
import { tenantRoutes } from './controllers/tenant-controller';
import { timeSeriesChangesRoutes } from './controllers/time-series-changes-controller';
import { timeSeriesRoutes } from './controllers/time-series-controller';
import { userRoutes } from './controllers/user-controller';
import { waiterRoutes } from './controllers/waiter-controller';
import type { Route } from './routing/route';

/** Every call of the server API, under the heading by which it is described. */
export const routeTable = (core: Core, auth: AuthServices): readonly Route[] => [
  ...tagged('Authentication', authRoutes(core, auth)),
  ...tagged('Authentication', activationRoutes(core, auth)),
  ...tagged('Authentication', apiKeyRoutes(core)),
  ...tagged('Tenants', tenantRoutes(core)),
  ...tagged('Customers', customerRoutes(core)),
  ...tagged('Users', userRoutes(core, auth)),
  ...tagged('Devices', deviceRoutes(core)),
  ...tagged('Devices', deviceListRoutes(core)),
  ...tagged('Devices', deviceAssignmentRoutes(core)),
  ...tagged('Devices', deviceImportRoutes(core)),
  ...tagged('Devices', deviceCredentialsRoutes(core)),
  ...tagged('Devices', connectivityInfoRoutes(core)),
  ...tagged('Devices', waiterRoutes(core)),
  ...tagged('Claiming', claimRoutes(core)),
  ...tagged('Device profiles', deviceProfileRoutes(core)),
  ...tagged('Firmware and software', otaPackageRoutes(core)),
  ...tagged('Attributes', attributesRoutes(core)),
  ...tagged('Time series', timeSeriesRoutes(core)),
  ...tagged('Time series', timeSeriesChangesRoutes(core)),
  ...tagged('Commands', rpcRoutes(core)),
  ...tagged('Commands', persistentRpcRoutes(core)),
];

const tagged = (tag: string, routes: readonly Route[]): Route[] => routes.map((route) => ({ ...route, tag }));
