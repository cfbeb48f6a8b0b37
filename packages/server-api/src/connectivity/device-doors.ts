import type { Settings } from '@tandem/core';

/** Doors for devices, as lines that are copied have to name them: `http://host:port`. Undefined where there is none to be told. */
export interface DeviceDoors {
  readonly http?: string;
  readonly https?: string;
  readonly coap?: string;
  readonly coaps?: string;
}

type Protocol = keyof DeviceDoors;

/** What stands in a URL without its port. */
const USUAL_PORT: Partial<Record<Protocol, number>> = { http: 80, https: 443 };

/**
 * Where devices connect to: what `DEVICE_CONNECTIVITY_*` say, and where they say nothing what follows from the settings of the
 * doors and from how the server API was called. A door at a port that the system chooses is not known.
 * @param origin scheme, host and port of the call
 */
export function deviceDoors(settings: Settings, origin: string): DeviceDoors {
  const called = originOf(origin);
  const { SSL_ENABLED: tls, TANDEM_ROLES: roles } = settings;
  const here = roles.includes('http');

  const door = (protocol: Protocol, isOpen: boolean, boundPort: number): string | undefined => {
    const name = `DEVICE_CONNECTIVITY_${protocol.toUpperCase() as Uppercase<Protocol>}` as const;
    if (!(settings[`${name}_ENABLED`] ?? isOpen)) return undefined;
    const [host, port] = [settings[`${name}_HOST`], settings[`${name}_PORT`]];
    // The very door that was called, however the caller has reached it.
    if (here && host === undefined && port === undefined && called.protocol === `${protocol}:`) return called.origin;
    const toldPort = port ?? boundPort;
    if (toldPort === 0) return undefined;
    const shown = USUAL_PORT[protocol] === toldPort ? '' : `:${toldPort}`;
    return `${protocol}://${inUrl(host ?? called.hostname)}${shown}`;
  };

  // A proxy may speak TLS before a door that does not.
  const secure = tls || (here && called.protocol === 'https:');
  return {
    http: door('http', !secure, tls ? 0 : settings.HTTP_BIND_PORT),
    https: door('https', secure, tls ? settings.HTTP_BIND_PORT : 0),
    coap: door('coap', settings.COAP_ENABLED, settings.COAP_BIND_PORT),
    coaps: door('coaps', settings.COAP_DTLS_ENABLED || roles.includes('coaps'), settings.COAP_DTLS_BIND_PORT),
  };
}

/** The host is what the caller says it is: it has to be one. */
function originOf(origin: string): Pick<URL, 'protocol' | 'hostname' | 'origin'> {
  return new URL(URL.canParse(origin) ? origin : 'http://localhost');
}

const inUrl = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
