import { type Core, type Millis, quietLogger } from '@tandem/core';
import { openUdpSocket, type UdpSocket } from './endpoint/index';

/** Who forges addresses that cannot be sent to makes a line for each. */
const LOG_INTERVAL: Millis = 10_000;

const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * The socket of a door, whose settings are called `<door>_BIND_ADDRESS` and `<door>_BIND_PORT`.
 * @throws Error in one line that names the setting when the port cannot be bound
 */
export async function openSocket(core: Core, door: 'COAP' | 'COAP_DTLS'): Promise<UdpSocket> {
  const { settings, clock, logger } = core;
  const address = settings[`${door}_BIND_ADDRESS`];
  const port = settings[`${door}_BIND_PORT`];
  try {
    return await openUdpSocket({ address, port, logger: quietLogger(logger, clock, LOG_INTERVAL) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined && NO_SUCH_ADDRESS.has(code)) {
      throw new Error(`${address} is no address of this machine (${code}): see ${door}_BIND_ADDRESS`);
    }
    const reason = code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${code ?? message})`;
    throw new Error(`UDP port ${port} on ${address} ${reason}: see ${door}_BIND_PORT`);
  }
}
