import {
  type CoapTransport,
  createCoapsTransport,
  createCoapTransport,
  DeviceSide,
  DtlsUnavailable,
  type ListedObservation,
} from '@tandem/coap-transport';
import type { Core, Role, Settings } from '@tandem/core';
import type { Readiness } from '../metrics-port/readiness';
import type { Shutdown } from '../shutdown/shutdown';
import { withMadeUpCertificate } from '../tls/made-up-certificate';
import { openTlsFiles } from '../tls/tls-files';

export interface CoapDoors {
  /** As they were bound; undefined where a door is not open. */
  readonly ports: { readonly coap?: number; readonly coaps?: number };
  /** Of both. */
  observations(): Iterable<ListedObservation>;
}

/** Where the socket of a door comes from: bound here, or the descriptor of one that is bound; or the door stays closed. */
export type DoorSocket = 'bind' | 'closed' | number;

export interface CoapSockets {
  readonly coap: DoorSocket;
  readonly coaps: DoorSocket;
}

export interface CoapDoorsOptions {
  readonly shutdown: Shutdown;
  readonly sockets: CoapSockets;
  /** Hears which of them are open. */
  readonly readiness: Pick<Readiness, 'serves' | 'servesNot'>;
}

/** Those of a process that is alone. */
export const OWN_SOCKETS: CoapSockets = { coap: 'bind', coaps: 'bind' };

/** Which of the doors these settings open. */
export function coapDoorsOf(settings: Settings): { readonly coap: boolean; readonly coaps: boolean } {
  const { COAP_ENABLED, COAP_DTLS_ENABLED, TANDEM_ROLES } = settings;
  const runs = (role: Role) => TANDEM_ROLES.includes(role);
  return {
    coap: runs('coap') && COAP_ENABLED,
    coaps: runs('coaps') || (runs('coap') && COAP_DTLS_ENABLED),
  };
}

/**
 * Plain CoAP and CoAP over DTLS, as far as this process runs them. Where there can be no DTLS and the process has other roles, it
 * goes on without, and says so.
 * @throws Error in one line
 */
export async function openCoapDoors(core: Core, options: CoapDoorsOptions): Promise<CoapDoors> {
  const { sockets } = options;
  const doors = coapDoorsOf(core.settings);
  const plain = doors.coap && sockets.coap !== 'closed';
  const secure = doors.coaps && sockets.coaps !== 'closed';
  if (!plain && !secure) return { ports: {}, observations: () => [] };
  const device = new DeviceSide(core);
  const outcomes = await Promise.allSettled([
    plain ? opened('coap', createCoapTransport(core, device, descriptorOf(sockets.coap)), options) : undefined,
    secure ? openSecure(core, device, options, descriptorOf(sockets.coaps)) : undefined,
  ]);
  // Waits for both also when one fails: what has started must be known to the shutdown before that runs.
  const [coap, coaps] = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  return {
    ports: { coap: coap?.port, coaps: coaps?.port },
    *observations() {
      for (const door of [coap, coaps]) if (door) yield* door.observations();
    },
  };
}

const descriptorOf = (socket: DoorSocket): number | undefined => (typeof socket === 'number' ? socket : undefined);

async function openSecure(
  core: Core,
  device: DeviceSide,
  options: CoapDoorsOptions,
  descriptor: number | undefined,
): Promise<CoapTransport | undefined> {
  let open = false;
  core.metrics.gauge('tandem_dtls_open', () => +open);
  const files = await openTlsFiles(withMadeUpCertificate(core.settings, core), 'coaps', core);
  options.shutdown.last('certificate of CoAP over DTLS', () => void files.close());
  try {
    const transport = await opened('coaps', createCoapsTransport(core, files, device, descriptor), options);
    open = true;
    return transport;
  } catch (error) {
    // A process that has nothing else to do is of no use without.
    if (!(error instanceof DtlsUnavailable) || servesNothingElse(core)) throw error;
    core.logger.error('CoAP over DTLS is not served, everything else is', { error: error.message });
    options.readiness.servesNot('coaps', error.message);
    return undefined;
  }
}

const servesNothingElse = ({ settings: { TANDEM_ROLES, COAP_ENABLED } }: Core): boolean =>
  TANDEM_ROLES.every((role) => role === 'coaps' || (role === 'coap' && !COAP_ENABLED));

const NAMES = { coap: 'CoAP', coaps: 'CoAP over DTLS' } as const;

async function opened(
  door: keyof typeof NAMES,
  opening: Promise<CoapTransport>,
  { shutdown, readiness }: CoapDoorsOptions,
): Promise<CoapTransport> {
  const transport = await opening;
  shutdown.sockets(NAMES[door], () => transport.close());
  readiness.serves(door);
  return transport;
}
