import type { CredentialsContent } from '../devices/device-credentials';

/** Contract 5.3. */
export type ProvisionOutcome =
  | { readonly status: 'SUCCESS'; readonly deviceId: string; readonly credentials: CredentialsContent }
  | { readonly status: 'NOT_FOUND' | 'FAILURE' };

/** What the device gets to know of its credentials: undefined for those that say nothing over our doors (contract 5.2). */
export function credentialsShown({
  credentialsType,
  credentialsId,
  credentialsValue,
}: CredentialsContent): string | undefined {
  switch (credentialsType) {
    case 'ACCESS_TOKEN':
      return credentialsId;
    case 'X509_CERTIFICATE':
    case 'MQTT_BASIC':
      return credentialsValue ?? undefined;
    case 'LWM2M_CREDENTIALS':
      return undefined;
  }
}
