import type { Uuid } from '@tandem/core';

/** The hashes of the registry, all in one slot, and their fields. */
export type Table =
  /** By id. */
  | 'tenants'
  | 'users'
  | 'customers'
  /** E-mail address -> id of the user. */
  | 'users-by-email'
  /** By id of the user, sealed where there is a key. */
  | 'user-credentials'
  /** SHA-256 of an activation token -> id of the user. */
  | 'activations'
  /** By id. */
  | 'api-keys'
  /** SHA-256 of an API key's value -> its id. */
  | 'api-keys-by-hash'
  /** User -> ids of his API keys. */
  | 'user-api-keys'
  /** Tenant and title -> id of the customer. */
  | 'customer-titles'
  /** Tenants and customers that were deleted and of which something may be left, by id. */
  | 'removals'
  /** By id; see records.ts for the form. */
  | 'profiles'
  /** Profile -> its `profileData`, sealed where there is a key. */
  | 'profile-data'
  /** Tenant and name -> id. */
  | 'profile-names'
  /** SHA-256 of the provision key -> id. */
  | 'profiles-by-provision-key'
  /** Tenant -> id of its default profile. */
  | 'default-profiles'
  /** Profile -> how many devices refer to it; none where nobody does. */
  | 'profile-uses'
  /** By id; see records.ts for the form. */
  | 'devices'
  /** Tenant and name -> id. */
  | 'device-names'
  /** By id of the device, sealed where there is a key. */
  | 'claims'
  /** By id of the device, sealed where there is a key. */
  | 'credentials'
  /** SHA-256 of the credentials id -> id of the device. */
  | 'credentials-by-hash'
  /** Device -> epoch of its event log. */
  | 'epochs'
  /** Deleted devices -> epoch of the log that has to be cleared away. */
  | 'purges'
  /** By id; see firmware/package-records.ts for the form. */
  | 'packages'
  /** Tenant, title and version -> id of the package. */
  | 'package-names'
  /** Package -> how many devices and profiles refer to it; none where nobody does. */
  | 'package-uses'
  /** Tenant -> bytes of all its packages. */
  | 'package-bytes'
  /** Data of packages that no package refers to -> what has to be done about it: see firmware/data-purge.ts. */
  | 'firmware-data'
  /** By name, base64, sealed where there is a key. */
  | 'secrets'
  /** What there is once: the `id` of the store; `keys`, proofs of the keys that may have sealed something. */
  | 'meta';

/** A name within a tenant as a field. */
export const nameField = ({ tenantId, name }: { readonly tenantId: Uuid; readonly name: string }): string =>
  `${tenantId} ${name}`;

/** The API keys of a user, as they stand in `user-api-keys`: a bounded number of ids. */
export const keyIds = (text: string | undefined): readonly Uuid[] => (text ? text.split(' ') : []);
export const keyIdsText = (ids: readonly Uuid[]): string => ids.join(' ');
