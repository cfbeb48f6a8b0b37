import { type DeviceCredentials, type ProfileInfo, type Settings, speaksCoap } from '@tandem/core';
import { type CommandLine, coapLines, curlLines } from './command-lines';
import type { DeviceDoors } from './device-doors';
import { segment, shellBytes, shellWord } from './shell';

/** How one device connects. */
export interface ConnectivityInfo {
  readonly lines: readonly CommandLine[];
  /** Why there are none. */
  readonly reason: string | undefined;
}

/** libcoap's client without TLS, and that with OpenSSL, as Debian calls them: `coap-client` elsewhere. */
const PLAIN_CLIENT = 'coap-client-notls';
const DTLS_CLIENT = 'coap-client-openssl';
/** Files that only the device has. */
const [CERTIFICATE, KEY] = ['device.pem', 'device.key'];

type Flags = Pick<Settings, 'TANDEM_SSL_CLIENT_CERTIFICATES' | 'TANDEM_COAP_DTLS_PSK'>;

/** Lines that do with the device's own credentials what it does, at each door that takes them. */
export function connectivityInfo(
  credentials: DeviceCredentials,
  profile: ProfileInfo,
  doors: DeviceDoors,
  flags: Flags,
): ConnectivityInfo {
  // What is written here is JSON; over CoAP a device of a protobuf profile speaks nothing else.
  const speaksJson = speaksCoap(profile) && profile.payloadType === 'JSON';
  const open = speaksJson ? doors : { http: doors.http, https: doors.https };
  const lines = linesOf(credentials, open, flags);
  return { lines, reason: lines.length > 0 ? undefined : whyNone(credentials, flags) };
}

function linesOf(
  { credentialsType, credentialsId, credentialsValue }: DeviceCredentials,
  { http, https, coap, coaps }: DeviceDoors,
  { TANDEM_SSL_CLIENT_CERTIFICATES: clientCertificates, TANDEM_COAP_DTLS_PSK: psk }: Flags,
): readonly CommandLine[] {
  switch (credentialsType) {
    case 'ACCESS_TOKEN': {
      const path = `/api/v1/${segment(credentialsId)}`;
      return [
        ...(http ? curlLines('http', http + path, []) : []),
        ...(https ? curlLines('https', https + path, []) : []),
        ...(coap ? coapLines('coap', coap + path, PLAIN_CLIENT, []) : []),
        ...(coaps ? coapLines('coaps', coaps + path, DTLS_CLIENT, []) : []),
      ];
    }
    case 'X509_CERTIFICATE':
      return [
        ...(https && clientCertificates
          ? curlLines('https', `${https}/api/v1`, ['--cert', CERTIFICATE, '--key', KEY])
          : []),
        ...(coaps ? coapLines('coaps', `${coaps}/api/v1`, DTLS_CLIENT, ['-c', CERTIFICATE, '-j', KEY]) : []),
      ];
    case 'PSK': {
      const key = shellBytes(Buffer.from(credentialsValue ?? '', 'hex'));
      if (!coaps || !psk || key === undefined) return [];
      return coapLines('coaps', `${coaps}/api/v1`, DTLS_CLIENT, ['-u', shellWord(credentialsId), '-k', key]);
    }
    default:
      return [];
  }
}

function whyNone({ credentialsType }: DeviceCredentials, { TANDEM_COAP_DTLS_PSK: psk }: Flags): string {
  switch (credentialsType) {
    case 'MQTT_BASIC':
    case 'LWM2M_CREDENTIALS':
      return `Credentials of type ${credentialsType} open no door of the gateway`;
    case 'PSK':
      return psk
        ? 'CoAP over DTLS is not told of, or coap-client cannot be given this key: it has a zero byte, or ends with a new line'
        : 'Pre-shared keys are not served: TANDEM_COAP_DTLS_PSK';
    case 'X509_CERTIFICATE':
      return 'Certificates of devices are taken over CoAP with DTLS, and over HTTPS with TANDEM_SSL_CLIENT_CERTIFICATES: neither is told of';
    default:
      return 'No door that is told of serves this device';
  }
}
