import type { RequestOperation } from '@tandem/core';
import type { Route } from './route';

/** What the calls below a heading of OpenAPI are counted as. */
const OPERATIONS: Readonly<Record<string, RequestOperation>> = {
  Authentication: 'authentication',
  Tenants: 'tenants',
  Customers: 'customers',
  Users: 'users',
  Devices: 'devices',
  Claiming: 'claiming',
  'Device profiles': 'device_profiles',
  'Firmware and software': 'ota_packages',
  Attributes: 'attributes',
  'Time series': 'time_series',
  Commands: 'commands',
};

export const operationOf = ({ tag = '' }: Pick<Route, 'tag'>): RequestOperation => OPERATIONS[tag] ?? 'other';
