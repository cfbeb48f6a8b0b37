import { TandemError } from '../errors';
import type { SchemaLimits } from '../payload/protobuf/index';
import { completeCoapConfiguration, NO_COAP, schemaSourcesOf } from './coap-configuration';
import type { DeviceProfile, ProvisionType, TransportType } from './model';
import { WrittenObject } from './written-object';

export interface ProfileDataLimits {
  /** Longest text of `profileData`. */
  readonly maxBytes: number;
  readonly schemas: SchemaLimits;
}

export const PROVISION_TYPES: readonly ProvisionType[] = [
  'DISABLED',
  'ALLOW_CREATE_NEW_DEVICES',
  'CHECK_PRE_PROVISIONED_DEVICES',
  'X509_CERTIFICATE_CHAIN',
];

/** `profileData` of a profile that says nothing (server contract 4.2). */
export const DEFAULT_PROFILE_DATA = JSON.stringify({
  configuration: { type: 'DEFAULT' },
  transportConfiguration: { type: 'DEFAULT' },
  provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
  alarms: null,
});

/**
 * `profileData` as it is stored: as it was written, and with the parts that are absent (server contract 4.2, 4.3), and what
 * of it is kept beside it. The configurations of MQTT, LWM2M and SNMP are kept without being looked at.
 * @param given an object as JSON text
 * @param stored the profile as it is, if there is one: schemas that stay are kept whatever the limits are by now
 * @throws TandemError BAD_REQUEST, also when it contradicts the types of the profile
 */
export function completeProfileData(
  given: string | null | undefined,
  { transportType, provisionType }: { readonly transportType: TransportType; readonly provisionType: ProvisionType },
  limits: ProfileDataLimits,
  stored?: Pick<DeviceProfile, 'payloadType' | 'profileData'>,
): Pick<DeviceProfile, 'profileData' | 'coapDeviceType' | 'payloadType'> {
  // What is added to it makes it no shorter: nobody has to look at what is too long already.
  refuseLong(given ?? '', limits);
  const data = WrittenObject.of(given ?? '{}', 'profileData');
  const configuration = data.object('configuration');
  configuration.choice('type', ['DEFAULT'], 'DEFAULT');
  data.put('configuration', configuration.toJson());

  const transport = data.object('transportConfiguration');
  transport.choice('type', [transportType], transportType);
  const former = stored?.payloadType === 'PROTOBUF' ? schemaSourcesOf(stored.profileData) : undefined;
  const coap = transportType === 'COAP' ? completeCoapConfiguration(transport, limits.schemas, former) : NO_COAP;
  data.put('transportConfiguration', transport.toJson());

  const provision = data.object('provisionConfiguration');
  if (provision.choice('type', PROVISION_TYPES, provisionType) !== provisionType) {
    throw refused(`profileData.provisionConfiguration.type must be ${provisionType}, as provisionType is`);
  }
  provision.text('provisionDeviceSecret');
  provision.fill({ provisionDeviceSecret: null });
  data.put('provisionConfiguration', provision.toJson());

  data.fill({ alarms: null });
  const profileData = data.toJson();
  refuseLong(profileData, limits);
  return { profileData, ...coap };
}

function refuseLong(text: string, { maxBytes }: ProfileDataLimits): void {
  if (Buffer.byteLength(text) > maxBytes) throw refused(`profileData is longer than ${maxBytes} bytes`);
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
