import { createSocket } from 'node:dgram';
import type { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import type { Settings } from '@tandem/core';
import { type Finding, fail, ok, warn } from './finding';
import type { RunningGateway } from './running-gateway';
import { areOneProgram, nameOf, ownerOfPort } from './sockets';

export interface Door {
  readonly what: string;
  readonly protocol: 'tcp' | 'udp';
  readonly portSetting: 'HTTP_BIND_PORT' | 'COAP_BIND_PORT' | 'COAP_DTLS_BIND_PORT' | 'TANDEM_METRICS_PORT';
  readonly addressSetting:
    | 'HTTP_BIND_ADDRESS'
    | 'COAP_BIND_ADDRESS'
    | 'COAP_DTLS_BIND_ADDRESS'
    | 'TANDEM_METRICS_ADDRESS';
}

const HTTP: Door = {
  what: 'HTTP',
  protocol: 'tcp',
  portSetting: 'HTTP_BIND_PORT',
  addressSetting: 'HTTP_BIND_ADDRESS',
};
const COAP: Door = {
  what: 'CoAP',
  protocol: 'udp',
  portSetting: 'COAP_BIND_PORT',
  addressSetting: 'COAP_BIND_ADDRESS',
};
const COAPS: Door = {
  what: 'CoAP over DTLS',
  protocol: 'udp',
  portSetting: 'COAP_DTLS_BIND_PORT',
  addressSetting: 'COAP_DTLS_BIND_ADDRESS',
};
const METRICS: Door = {
  what: 'metrics and health',
  protocol: 'tcp',
  portSetting: 'TANDEM_METRICS_PORT',
  addressSetting: 'TANDEM_METRICS_ADDRESS',
};

export const servesHttp = ({ TANDEM_ROLES }: Settings): boolean =>
  TANDEM_ROLES.includes('http') || TANDEM_ROLES.includes('api');
export const servesCoap = ({ TANDEM_ROLES, COAP_ENABLED }: Settings): boolean =>
  TANDEM_ROLES.includes('coap') && COAP_ENABLED;
export const servesCoaps = ({ TANDEM_ROLES, COAP_DTLS_ENABLED }: Settings): boolean =>
  TANDEM_ROLES.includes('coaps') || (TANDEM_ROLES.includes('coap') && COAP_DTLS_ENABLED);

/** For devices and users. */
export const doorsOf = (settings: Settings): readonly Door[] => [
  ...(servesHttp(settings) ? [HTTP] : []),
  ...(servesCoap(settings) ? [COAP] : []),
  ...(servesCoaps(settings) ? [COAPS] : []),
];

/** Whether each port that would be bound can be had; each is bound for a moment. */
export async function checkPorts(settings: Settings, running: RunningGateway | undefined): Promise<Finding[]> {
  return Promise.all([...doorsOf(settings), METRICS].map((door) => checkPort(door, settings, running)));
}

/** Whether it cannot be bound because somebody has it; bound for a moment. */
export const isTaken = async ({ protocol, addressSetting, portSetting }: Door, settings: Settings): Promise<boolean> =>
  (await bindOnce(protocol, settings[addressSetting], settings[portSetting])) === 'EADDRINUSE';

async function checkPort(door: Door, settings: Settings, running: RunningGateway | undefined): Promise<Finding> {
  const port = settings[door.portSetting];
  const address = settings[door.addressSetting];
  const about = `${door.portSetting} ${port}`;
  if (port === 0) return ok(about, `${door.what} takes any port that is free, and another with every start`);
  const code = await bindOnce(door.protocol, address, port);
  switch (code) {
    case undefined:
      if (!running) return ok(about, `free on ${address}, for ${door.what}`);
      return warn(
        about,
        `free, though a gateway runs on TANDEM_METRICS_PORT: it does not serve ${door.what} here`,
        'Run the doctor with the settings of that gateway, or give this one ports of its own.',
      );
    case 'EADDRINUSE':
      return taken(door, about, running, port);
    case 'EACCES':
      return fail(
        about,
        `ports below 1024 may not be bound by this user`,
        'Take a port from 1024 on with a proxy or a port mapping in front; or let it: AmbientCapabilities=CAP_NET_BIND_SERVICE under systemd, cap_add NET_BIND_SERVICE in a container.',
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return fail(
        about,
        `${address} is no address of this machine (${code})`,
        `Set ${door.addressSetting} to one of its own, or to 0.0.0.0 for all.`,
      );
    default:
      return fail(
        about,
        `cannot be bound on ${address}: ${code}`,
        `See ${door.portSetting} and ${door.addressSetting}.`,
      );
  }
}

function taken(door: Door, about: string, running: RunningGateway | undefined, port: number): Finding {
  const owner = ownerOfPort(door.protocol, port);
  const ours = running && (!owner || !running.owner || areOneProgram(owner, running.owner));
  if (ours) return ok(about, `${door.what} is served by the gateway that runs`);
  const tool = door.protocol === 'tcp' ? `ss -ltnp 'sport = :${port}'` : `ss -lunp 'sport = :${port}'`;
  return fail(
    about,
    `is taken${owner ? ` by ${nameOf(owner)}` : ' by another process'}`,
    `Stop that one, or set ${door.portSetting} to another port.${owner ? '' : ` As root this says who it is: ${tool}`}`,
  );
}

/** @returns why it cannot be had, as the system calls that */
async function bindOnce(protocol: 'tcp' | 'udp', address: string, port: number): Promise<string | undefined> {
  const codeOf = (error: NodeJS.ErrnoException) => error.code ?? error.message;
  if (protocol === 'tcp') {
    const server = createServer();
    return outcome(server, () => server.listen({ host: address, port, exclusive: true }), server, codeOf);
  }
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reuseAddr: false });
  return outcome(socket, () => socket.bind({ address, port, exclusive: true }), socket, codeOf);
}

function outcome(
  emitter: EventEmitter,
  begin: () => void,
  { close }: { close(done: () => void): unknown },
  codeOf: (error: NodeJS.ErrnoException) => string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    emitter.once('error', (error) => resolve(codeOf(error)));
    emitter.once('listening', () => close.call(emitter, () => resolve(undefined)));
    begin();
  });
}
