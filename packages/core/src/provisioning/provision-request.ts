import type { CredentialsType } from '../devices/model';

/** What a device says to be provisioned (contract 5.1). Empty is what it leaves out. */
export interface ProvisionRequest {
  /** As it came: the strategy trims it. */
  readonly deviceName: string;
  readonly key: string;
  /** A secret, as are the token and the password: never into a log line, an error or a metric. */
  readonly secret: string;
  readonly credentialsType: CredentialsType;
  readonly token: string;
  readonly clientId: string;
  readonly userName: string;
  readonly password: string;
  /** Called a hash by the contract: the certificate, PEM or its base64. */
  readonly hash: string;
  readonly gateway: boolean;
}

/** In the order of their numbers in `proto/transport.proto`. */
export const CREDENTIALS_TYPES: readonly CredentialsType[] = [
  'ACCESS_TOKEN',
  'X509_CERTIFICATE',
  'MQTT_BASIC',
  'LWM2M_CREDENTIALS',
];
