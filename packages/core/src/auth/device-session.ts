import type {
  CoapDeviceType,
  DeviceCredentials,
  PayloadType,
  ProfileInfo,
  TransportType,
  Uuid,
} from '../devices/model';
import type { ResolvedDevice } from '../state/device-store';

/** Who sent a request: what the credentials stand for, and what the device's profile says about its transport. */
export interface DeviceSession {
  readonly tenantId: Uuid;
  readonly deviceId: Uuid;
  readonly deviceName: string;
  /** The profile's name. */
  readonly deviceType: string;
  readonly profileId: Uuid;
  readonly transportType: TransportType;
  /** EFENTO devices do not speak this API (contract 2.2). */
  readonly coapDeviceType: CoapDeviceType;
  /** When the session was made: those who wait ask `Formats` for the one of now. */
  readonly payloadType: PayloadType;
  /** What the session was made from. */
  readonly credentials: CredentialsStamp;
}

/** Contract 2.2: profiles of other transports do not get in over CoAP, and EFENTO devices have resources of their own. */
export const speaksCoap = ({ transportType, coapDeviceType }: Pick<ProfileInfo, 'transportType' | 'coapDeviceType'>) =>
  (transportType === 'DEFAULT' || transportType === 'COAP') && coapDeviceType !== 'EFENTO';

/** Which credentials, without what is secret in them. */
export type CredentialsStamp = Pick<DeviceCredentials, 'id' | 'version'>;

/** @param neighbour any other session: one of the same profile shares its texts, since there may be very many */
export function sessionOf({ device, profile, credentials }: ResolvedDevice, neighbour?: DeviceSession): DeviceSession {
  return {
    tenantId: shared(device.tenantId, neighbour?.tenantId),
    deviceId: device.id,
    deviceName: device.name,
    deviceType: shared(device.type, neighbour?.deviceType),
    profileId: shared(profile.id, neighbour?.profileId),
    transportType: profile.transportType,
    coapDeviceType: profile.coapDeviceType,
    payloadType: profile.payloadType,
    credentials: { id: credentials.id, version: credentials.version },
  };
}

const shared = (text: string, known: string | undefined): string => (text === known ? known : text);
