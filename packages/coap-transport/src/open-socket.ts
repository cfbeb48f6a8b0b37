import { type Core, type Millis, quietLogger, type Settings } from '@tandem/core';
import { openUdpSocket, type UdpSocket } from './endpoint/index';

/** Who forges addresses that cannot be sent to makes a line for each. */
const LOG_INTERVAL: Millis = 10_000;

const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);

/** First part of the names of its settings: `<door>_BIND_ADDRESS` and `<door>_BIND_PORT`. */
export type CoapDoor = 'COAP' | 'COAP_DTLS';

/**
 * @param descriptor of a socket that another process has bound for this one; undefined: binds one
 * @throws Error in one line that names the setting when the port cannot be bound
 */
export async function openSocket(core: Core, door: CoapDoor, descriptor?: number): Promise<UdpSocket> {
  const { settings, clock, logger } = core;
  const address = settings[`${door}_BIND_ADDRESS`];
  const port = settings[`${door}_BIND_PORT`];
  try {
    return await openUdpSocket({ address, port, descriptor, logger: quietLogger(logger, clock, LOG_INTERVAL) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw bindFailure(settings, door, code ?? message);
  }
}

/** @param code of the system, such as EADDRINUSE, or whatever else is the reason */
export function bindFailure(settings: Settings, door: CoapDoor, code: string): Error {
  const address = settings[`${door}_BIND_ADDRESS`];
  const port = settings[`${door}_BIND_PORT`];
  if (NO_SUCH_ADDRESS.has(code)) {
    return new Error(`${address} is no address of this machine (${code}): see ${door}_BIND_ADDRESS`);
  }
  const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${code})`;
  return new Error(`UDP port ${port} on ${address} ${reason}: see ${door}_BIND_PORT`);
}
