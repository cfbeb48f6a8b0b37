import { systemRandom } from '@tandem/core';

/** Who calls, seen from what the call is about. */
export type Caller =
  | 'SYS_ADMIN'
  /** Administrator of another tenant. */
  | 'OTHER_TENANT'
  /** User of the customer that the device is assigned to. */
  | 'OWN_CUSTOMER'
  /** User of another customer of the same tenant. */
  | 'OTHER_CUSTOMER'
  /** Anybody who has the id of the customer that the device is assigned to, which is a public one. */
  | 'PUBLIC'
  | 'STRANGER';

export const CALLERS: readonly Caller[] = [
  'SYS_ADMIN',
  'OTHER_TENANT',
  'OWN_CUSTOMER',
  'OTHER_CUSTOMER',
  'PUBLIC',
  'STRANGER',
];

/** What there is of one tenant. */
export interface Ids {
  readonly device: string;
  /** Name of another device of the same customer: it is given back in the course of the test. */
  readonly claimed: string;
  readonly rpc: string;
  readonly profile: string;
  readonly ota: string;
  readonly tenant: string;
  /** The one that the device is assigned to. */
  readonly customer: string;
  /** Another user of that customer. */
  readonly user: string;
  /** Of that user. */
  readonly apiKey: string;
}

/** Of things that never were. */
export const absentIds = (): Ids => ({
  device: systemRandom.uuid(),
  claimed: systemRandom.uuid(),
  rpc: systemRandom.uuid(),
  profile: systemRandom.uuid(),
  ota: systemRandom.uuid(),
  tenant: systemRandom.uuid(),
  customer: systemRandom.uuid(),
  user: systemRandom.uuid(),
  apiKey: systemRandom.uuid(),
});

/** Who may make a call. */
export interface AccessRule {
  /**
   * What each caller gets who aims the call at something of the owner. A foreign tenant that gets 404 gets the very answer
   * for what never was.
   */
  readonly statuses: Readonly<Record<Caller, number>>;
  /** Where it is not the path of the table with the ids put in and `QUERY` behind it. */
  readonly target?: (ids: Ids) => string;
  /** One that gets past the checks of the body. */
  readonly body?: (ids: Ids) => object;
  /** The caller's token is good no more afterwards. */
  readonly endsSession?: true;
}

const QUERY = 'keys=SECRET_KEY&pageSize=10&page=0';

/** @param path as in the route table */
export function targetOf(path: string, { target }: AccessRule, ids: Ids): string {
  if (target) return target(ids);
  const filled = path
    .replace('{entityType}', 'DEVICE')
    .replace('{entityId}', ids.device)
    .replace('{deviceId}', ids.device)
    .replace('{rpcId}', ids.rpc)
    .replace('{deviceProfileId}', ids.profile)
    .replace('{customerId}', ids.customer)
    .replace('{otaPackageId}', ids.ota)
    .replace('{type}', 'FIRMWARE')
    .replace('{tenantId}', ids.tenant)
    .replace('{userId}', ids.user)
    .replace('/apiKey/{id}', `/apiKey/${ids.apiKey}`)
    .replace('{enabled}', 'false')
    .replace('{scope}', 'SHARED_SCOPE')
    .replace('{ttl}', '60');
  return `${filled}?${QUERY}`;
}

const STRANGER = 401;
const everybody = { SYS_ADMIN: 200, OTHER_TENANT: 200, OWN_CUSTOMER: 200, OTHER_CUSTOMER: 200, PUBLIC: 200, STRANGER };
/** An empty body is no login, whoever sends it. */
const noLogin = { SYS_ADMIN: 401, OTHER_TENANT: 401, OWN_CUSTOMER: 401, OTHER_CUSTOMER: 401, PUBLIC: 401, STRANGER };
/** A device, for its tenant and the customer that has it. */
const ofDevice = { SYS_ADMIN: 403, OTHER_TENANT: 404, OWN_CUSTOMER: 200, OTHER_CUSTOMER: 403, PUBLIC: 403, STRANGER };
/** What everybody may see of a device of a public customer. */
const published = { ...ofDevice, PUBLIC: 200 };
/** Something for administrators of its tenant alone. */
const ofTenant = { ...ofDevice, OWN_CUSTOMER: 403 };
/** Something that all users of its tenant may see. */
const ofUsers = { ...ofDevice, OTHER_CUSTOMER: 200 };
/** A call about whatever the caller's tenant has. */
const ownTenant = { SYS_ADMIN: 403, OTHER_TENANT: 200, OWN_CUSTOMER: 403, OTHER_CUSTOMER: 403, PUBLIC: 403, STRANGER };
const ownUsers = { ...ownTenant, OWN_CUSTOMER: 200, OTHER_CUSTOMER: 200 };

/** A call for system administrators alone. */
const system = { SYS_ADMIN: 200, OTHER_TENANT: 403, OWN_CUSTOMER: 403, OTHER_CUSTOMER: 403, PUBLIC: 403, STRANGER };
/** A customer's user, whom nobody acts on but the tenant's administrators and himself. */
const ofUser = { SYS_ADMIN: 403, OTHER_TENANT: 404, OWN_CUSTOMER: 403, OTHER_CUSTOMER: 403, PUBLIC: 403, STRANGER };
/** What is refused to everybody, logged in or not, for what is sent. */
const refused = (status: number, { stranger = status, everybody = status } = {}) => ({
  SYS_ADMIN: status,
  OTHER_TENANT: status,
  OWN_CUSTOMER: status,
  OTHER_CUSTOMER: status,
  PUBLIC: everybody,
  STRANGER: stranger,
});

const TELEMETRY = '/api/plugins/telemetry';
const ENTITY = `${TELEMETRY}/{entityType}/{entityId}`;
const attributes = () => ({ key: 'stolen' });
const command = () => ({ method: 'm', persistent: true });
const deviceId = (id: string) => ({ entityType: 'DEVICE', id });

/** A rule for each call of the server API: a test fails for a call without one. */
export const ACCESS_RULES: Readonly<Record<string, AccessRule>> = {
  'POST /api/auth/login': { statuses: noLogin },
  'POST /api/auth/token': { statuses: noLogin },
  'POST /api/auth/login/public': { statuses: noLogin },
  'GET /api/auth/user': { statuses: everybody },
  'POST /api/auth/logout': { statuses: everybody, endsSession: true },
  'POST /api/auth/changePassword': { statuses: refused(400, { stranger: STRANGER, everybody: 403 }) },
  'GET /api/noauth/activate': {
    statuses: refused(409),
    target: () => '/api/noauth/activate?activateToken=never',
  },
  'POST /api/noauth/activate': {
    statuses: refused(400),
    body: () => ({ activateToken: 'never', password: 'a good password' }),
  },

  'POST /api/tenant': { statuses: system, body: () => ({ title: systemRandom.uuid() }) },
  'GET /api/tenant/{tenantId}': { statuses: { ...system, OTHER_TENANT: 404 } },
  'GET /api/tenants': { statuses: system },
  'DELETE /api/tenant/{tenantId}': {
    statuses: { ...system, SYS_ADMIN: 404 },
    target: () => `/api/tenant/${systemRandom.uuid()}`,
  },

  'POST /api/customer': {
    statuses: ofTenant,
    body: (ids) => ({ id: { entityType: 'CUSTOMER', id: ids.customer }, title: 'taken' }),
  },
  'GET /api/customer/{customerId}': { statuses: ofTenant },
  'GET /api/customers': { statuses: ownTenant },
  'GET /api/tenant/customers': {
    statuses: { ...ownTenant, OTHER_TENANT: 404 },
    target: (ids) => `/api/tenant/customers?customerTitle=title-of-${ids.customer}`,
  },
  'DELETE /api/customer/{customerId}': { statuses: ofTenant },

  'POST /api/user': {
    statuses: ofUser,
    body: (ids) => ({ id: { entityType: 'USER', id: ids.user }, email: 'taken@x.org' }),
  },
  'GET /api/user/tokenAccessEnabled': {
    statuses: { ...everybody, OWN_CUSTOMER: 403, OTHER_CUSTOMER: 403, PUBLIC: 403 },
  },
  'GET /api/user/{userId}': { statuses: ofUser },
  'DELETE /api/user/{userId}': { statuses: ofUser },
  'GET /api/user/{userId}/token': { statuses: ofUser },
  'GET /api/user/{userId}/activationLink': { statuses: ofUser },
  'GET /api/user/{userId}/activationLinkInfo': { statuses: ofUser },
  'POST /api/user/{userId}/userCredentialsEnabled': { statuses: ofUser },
  'GET /api/users': { statuses: ownTenant },
  'GET /api/tenant/{tenantId}/users': { statuses: system },
  'GET /api/customer/{customerId}/users': { statuses: ofTenant },

  'POST /api/apiKey': {
    statuses: ofUser,
    body: (ids) => ({ userId: { entityType: 'USER', id: ids.user }, description: 'stolen' }),
  },
  'GET /api/apiKeys/{userId}': { statuses: ofUser },
  'PUT /api/apiKey/{id}/description': { statuses: ofUser, body: () => ({}) },
  'PUT /api/apiKey/{id}/enabled/{enabled}': { statuses: ofUser },
  'DELETE /api/apiKey/{id}': { statuses: ofUser },

  'POST /api/device': { statuses: ofDevice, body: (ids) => ({ id: deviceId(ids.device), name: 'taken' }) },
  'POST /api/device-with-credentials': {
    statuses: ownTenant,
    body: () => ({
      device: { name: systemRandom.uuid() },
      credentials: { credentialsType: 'ACCESS_TOKEN', credentialsId: systemRandom.uuid() },
    }),
  },
  'GET /api/device/{deviceId}': { statuses: published },
  'GET /api/device/info/{deviceId}': { statuses: published },
  'DELETE /api/device/{deviceId}': { statuses: ofTenant },
  'GET /api/tenant/devices': { statuses: ownTenant },
  'GET /api/tenant/deviceInfos': { statuses: ownTenant },
  'GET /api/devices': {
    statuses: { ...ownUsers, PUBLIC: 200 },
    target: (ids) => `/api/devices?deviceIds=${ids.device}`,
  },
  'GET /api/device/types': { statuses: ownUsers },
  'GET /api/customer/{customerId}/devices': { statuses: published },
  'GET /api/customer/{customerId}/deviceInfos': { statuses: published },
  'POST /api/customer/{customerId}/device/{deviceId}': { statuses: ofTenant },
  'DELETE /api/customer/device/{deviceId}': { statuses: ofTenant },
  'POST /api/customer/public/device/{deviceId}': { statuses: ofTenant },
  'POST /api/device/bulk_import': {
    statuses: ownTenant,
    body: () => ({ file: systemRandom.uuid(), mapping: { columns: [{ type: 'NAME' }] } }),
  },
  'GET /api/device/{deviceId}/credentials': { statuses: ofDevice },
  'GET /api/device-connectivity/{deviceId}': { statuses: ofDevice },
  'GET /api/tandem/waiters': { statuses: ofDevice, target: (ids) => `/api/tandem/waiters?deviceId=${ids.device}` },
  'GET /api/tandem/claim/{deviceId}': { statuses: ofDevice },
  'POST /api/device/credentials': {
    statuses: ofTenant,
    body: (ids) => ({ deviceId: deviceId(ids.device), credentialsType: 'ACCESS_TOKEN', credentialsId: 'STOLEN' }),
  },

  'POST /api/customer/device/{deviceName}/claim': {
    // It has a customer: whoever may claim at all is told so.
    statuses: { SYS_ADMIN: 403, OTHER_TENANT: 403, OWN_CUSTOMER: 400, OTHER_CUSTOMER: 400, PUBLIC: 403, STRANGER },
    target: (ids) => `/api/customer/device/${ids.claimed}/claim`,
  },
  'DELETE /api/customer/device/{deviceName}/claim': {
    statuses: ofDevice,
    target: (ids) => `/api/customer/device/${ids.claimed}/claim`,
  },

  'POST /api/deviceProfile': {
    statuses: ofTenant,
    body: (ids) => ({
      id: { entityType: 'DEVICE_PROFILE', id: ids.profile },
      name: 'stolen',
      type: 'DEFAULT',
      transportType: 'DEFAULT',
    }),
  },
  'GET /api/deviceProfile/names': { statuses: ownUsers },
  'GET /api/deviceProfile/devices/keys/timeseries': {
    statuses: ofTenant,
    target: (ids) => `/api/deviceProfile/devices/keys/timeseries?deviceProfileId=${ids.profile}`,
  },
  'GET /api/deviceProfile/devices/keys/attributes': {
    statuses: ofTenant,
    target: (ids) => `/api/deviceProfile/devices/keys/attributes?deviceProfileId=${ids.profile}`,
  },
  'DELETE /api/deviceProfile/{deviceProfileId}': { statuses: ofTenant },
  'POST /api/deviceProfile/{deviceProfileId}/default': { statuses: ofTenant },
  'GET /api/deviceProfileInfos': { statuses: { ...ownUsers, PUBLIC: 200 } },
  'GET /api/deviceProfileInfo/default': { statuses: { ...ownUsers, PUBLIC: 200 } },
  'GET /api/deviceProfileInfo/{deviceProfileId}': { statuses: { ...ofUsers, PUBLIC: 200 } },
  'GET /api/deviceProfile/{deviceProfileId}': { statuses: ofTenant },
  'GET /api/deviceProfiles': { statuses: ownTenant },

  'POST /api/otaPackage': { statuses: ofTenant, body: (ids) => ({ id: { id: ids.ota }, title: 'stolen' }) },
  'POST /api/otaPackage/{otaPackageId}': { statuses: ofTenant },
  'GET /api/otaPackage/info/{otaPackageId}': { statuses: ofUsers },
  'GET /api/otaPackage/{otaPackageId}': { statuses: ofTenant },
  'GET /api/otaPackage/{otaPackageId}/download': { statuses: ofTenant },
  'DELETE /api/otaPackage/{otaPackageId}': { statuses: ofTenant },
  'GET /api/otaPackages': { statuses: ownUsers },
  'GET /api/otaPackages/{deviceProfileId}/{type}': { statuses: ownUsers },

  [`GET ${ENTITY}/keys/attributes`]: { statuses: published },
  [`GET ${ENTITY}/keys/attributes/{scope}`]: { statuses: published },
  [`GET ${ENTITY}/values/attributes`]: { statuses: published },
  [`GET ${ENTITY}/values/attributes/{scope}`]: { statuses: published },
  [`POST ${ENTITY}/attributes/{scope}`]: { statuses: ofDevice, body: attributes },
  [`POST ${ENTITY}/{scope}`]: { statuses: ofDevice, body: attributes },
  [`POST ${TELEMETRY}/{deviceId}/{scope}`]: { statuses: ofDevice, body: attributes },
  [`DELETE ${ENTITY}/{scope}`]: { statuses: ofDevice },
  [`DELETE ${TELEMETRY}/{deviceId}/{scope}`]: { statuses: ofDevice },
  [`GET ${ENTITY}/keys/timeseries`]: { statuses: published },
  [`GET ${ENTITY}/values/timeseries`]: { statuses: published },
  [`POST ${ENTITY}/timeseries/{scope}`]: { statuses: ofDevice, body: attributes },
  [`POST ${ENTITY}/timeseries/{scope}/{ttl}`]: { statuses: ofDevice, body: attributes },
  [`DELETE ${ENTITY}/timeseries/delete`]: {
    statuses: ofDevice,
    target: (ids) => `${TELEMETRY}/DEVICE/${ids.device}/timeseries/delete?keys=SECRET_KEY&deleteAllDataForKeys=true`,
  },

  'POST /api/rpc/oneway/{deviceId}': { statuses: ofDevice, body: command },
  'POST /api/rpc/twoway/{deviceId}': { statuses: ofDevice, body: command },
  'POST /api/plugins/rpc/oneway/{deviceId}': { statuses: ofDevice, body: command },
  'POST /api/plugins/rpc/twoway/{deviceId}': { statuses: ofDevice, body: command },
  'GET /api/rpc/persistent/{rpcId}': { statuses: ofDevice },
  'GET /api/rpc/persistent/device/{deviceId}': { statuses: ofDevice },
  'DELETE /api/rpc/persistent/{rpcId}': { statuses: ofTenant },
};
