import type { EpochMillis } from '../platform/clock';

/** A lower-case UUID. */
export type Uuid = string;

/** "No customer" (server contract 1.3): an entity never carries null there. */
export const NULL_UUID: Uuid = '13814000-1dd2-11b2-8080-808080808080';

export type TransportType = 'DEFAULT' | 'MQTT' | 'COAP' | 'LWM2M' | 'SNMP';
export type CoapDeviceType = 'DEFAULT' | 'EFENTO';
/** What devices of a COAP profile send (device contract 2.2, 4.1). */
export type PayloadType = 'JSON' | 'PROTOBUF';
/** How devices of a profile may register themselves (device contract 5.3). */
export type ProvisionType =
  | 'DISABLED'
  | 'ALLOW_CREATE_NEW_DEVICES'
  | 'CHECK_PRE_PROVISIONED_DEVICES'
  | 'X509_CERTIFICATE_CHAIN';
export type CredentialsType =
  | 'ACCESS_TOKEN'
  | 'X509_CERTIFICATE'
  | 'MQTT_BASIC'
  | 'LWM2M_CREDENTIALS'
  /** A pre-shared key of DTLS (RFC 4279), which the original has none of. */
  | 'PSK';
export type JsonObject = { [member: string]: unknown };

/** Where a tenant or customer can be reached: kept as it was sent. */
export interface Contact {
  readonly country: string | null;
  readonly state: string | null;
  readonly city: string | null;
  readonly address: string | null;
  readonly address2: string | null;
  readonly zip: string | null;
  readonly phone: string | null;
  readonly email: string | null;
}

export const NO_CONTACT: Contact = {
  country: null,
  state: null,
  city: null,
  address: null,
  address2: null,
  zip: null,
  phone: null,
  email: null,
};

export interface Tenant extends Contact {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly title: string;
  readonly region: string | null;
  /** An object as compact JSON text. */
  readonly additionalInfo: string | null;
  readonly version: number;
}

export interface Customer extends Contact {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  /** Unique within the tenant. */
  readonly title: string;
  /** An object as compact JSON text; `isPublic` in it opens the customer to everybody who knows its id. */
  readonly additionalInfo: string | null;
  readonly version: number;
}

export type Authority = 'SYS_ADMIN' | 'TENANT_ADMIN' | 'CUSTOMER_USER';

export interface User {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  readonly customerId: Uuid;
  /** Lower case: unique over all tenants. */
  readonly email: string;
  readonly authority: Authority;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly phone: string | null;
  /** An object as compact JSON text. */
  readonly additionalInfo: string | null;
  readonly version: number;
}

/** What lets a user in who has no password yet. */
export interface Activation {
  /** A secret: never into a log line. */
  readonly token: string;
  readonly expiresAt: EpochMillis;
}

/** A session that its user has ended. */
export interface EndedSession {
  readonly sessionId: string;
  /** When the last of its tokens has expired by itself. */
  readonly until: EpochMillis;
}

/** How a user gets in; beside the user, so that its changes count in no version that a client knows. */
export interface UserCredentials {
  readonly userId: Uuid;
  readonly enabled: boolean;
  /** `scrypt$N$r$p$salt$hash`, base64; null until the user is activated. */
  readonly passwordHash: string | null;
  readonly activation: Activation | null;
  /** Tokens carry it: those of another generation are void. */
  readonly generation: number;
  readonly endedSessions: readonly EndedSession[];
  readonly version: number;
}

/** A user and how he gets in. */
export interface Account {
  readonly user: User;
  readonly credentials: UserCredentials;
}

/** Acts as its user, without a login (server contract 1.1). */
export interface ApiKey {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  readonly userId: Uuid;
  readonly description: string;
  readonly enabled: boolean;
  /** 0 = never. */
  readonly expirationTime: EpochMillis;
  /** SHA-256 of the value, in hex: the value itself is nowhere. */
  readonly valueHash: string;
  readonly version: number;
}

/** A device profile but for its data, which can be long: what is read along with each of its devices. */
export interface ProfileInfo {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  readonly name: string;
  readonly description: string | null;
  readonly isDefault: boolean;
  readonly transportType: TransportType;
  readonly provisionType: ProvisionType;
  /** Unique over all tenants. */
  readonly provisionDeviceKey: string | null;
  /** EFENTO devices do not speak this API (device contract 2.2). DEFAULT for all other transports. */
  readonly coapDeviceType: CoapDeviceType;
  /** JSON for all other transports. */
  readonly payloadType: PayloadType;
  /** Package of the devices that have none of their own. */
  readonly firmwareId: Uuid | null;
  readonly softwareId: Uuid | null;
  readonly version: number;
}

/** Server contract 4.2. */
export interface DeviceProfile extends ProfileInfo {
  /** An object as compact JSON text: members and numbers stay as they were sent, absent parts are filled in. */
  readonly profileData: string;
}

/** Server contract 3.2. */
export interface Device {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly tenantId: Uuid;
  readonly customerId: Uuid;
  readonly name: string;
  /** The name of the device's profile. */
  readonly type: string;
  readonly label: string | null;
  readonly deviceProfileId: Uuid;
  /** An object as compact JSON text: its numbers keep the text they were sent with. */
  readonly additionalInfo: string | null;
  /** Package of its own; it goes before the profile's. */
  readonly firmwareId: Uuid | null;
  readonly softwareId: Uuid | null;
  readonly version: number;
}

/** Server contract 3.3. */
export interface DeviceCredentials {
  readonly id: Uuid;
  readonly createdTime: EpochMillis;
  readonly deviceId: Uuid;
  readonly credentialsType: CredentialsType;
  /** For ACCESS_TOKEN the token itself. A secret: never into a log line. */
  readonly credentialsId: string;
  /** For PSK the key, in hexadecimal digits: a secret as well. */
  readonly credentialsValue: string | null;
  /**
   * Of a device that has provisioned itself: which request made it, as a hash. By this it is known again by who was not
   * answered, because the process died in between.
   */
  readonly provisionRequest?: string;
  readonly version: number;
}
