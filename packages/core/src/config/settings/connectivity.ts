import { optionalFlag, optionalHost, optionalWhole, type Setting } from '../setting';

const PORTS = { min: 1, max: 65_535 };

const enabled = (protocol: string) =>
  optionalFlag(
    `Whether devices are shown how to connect over ${protocol}; left out: where the settings here open that door`,
  );
const host = (protocol: string) =>
  optionalHost(`Host that devices are told for ${protocol}; left out: the one by which the server API was called`);
const portOf = (protocol: string, fallback: string) =>
  optionalWhole(PORTS, `Port that devices are told for ${protocol}; left out: ${fallback}`);

/** Where devices are told to connect to, in lines to be copied: beside the doors, since a balancer may be before them. */
export const CONNECTIVITY_SETTINGS = {
  DEVICE_CONNECTIVITY_HTTP_ENABLED: enabled('HTTP'),
  DEVICE_CONNECTIVITY_HTTP_HOST: host('HTTP'),
  DEVICE_CONNECTIVITY_HTTP_PORT: portOf(
    'HTTP',
    'that of the server API where one process serves both, else `HTTP_BIND_PORT`',
  ),
  DEVICE_CONNECTIVITY_HTTPS_ENABLED: enabled('HTTPS'),
  DEVICE_CONNECTIVITY_HTTPS_HOST: host('HTTPS'),
  DEVICE_CONNECTIVITY_HTTPS_PORT: portOf(
    'HTTPS',
    'that of the server API where one process serves both, else `HTTP_BIND_PORT`',
  ),
  DEVICE_CONNECTIVITY_COAP_ENABLED: enabled('CoAP'),
  DEVICE_CONNECTIVITY_COAP_HOST: host('CoAP'),
  DEVICE_CONNECTIVITY_COAP_PORT: portOf('CoAP', '`COAP_BIND_PORT`'),
  DEVICE_CONNECTIVITY_COAPS_ENABLED: enabled('CoAP over DTLS'),
  DEVICE_CONNECTIVITY_COAPS_HOST: host('CoAP over DTLS'),
  DEVICE_CONNECTIVITY_COAPS_PORT: portOf('CoAP over DTLS', '`COAP_DTLS_BIND_PORT`'),
} as const satisfies Record<string, Setting<unknown>>;
