import { setMaxListeners } from 'node:events';
import type { Core } from '@tandem/core';
import { createDeviceApi, mayContinue } from './device-api';
import { CoapEndpoint, openUdpSocket } from './endpoint/index';

export interface CoapTransport {
  readonly port: number;
  /** Ends observations and running requests with 5.03 and closes the socket. */
  close(): Promise<void>;
}

/** How much longer than its own time limit a command of a device may run before the endpoint answers for it. */
const HANDLER_GRACE = 5_000;

/** Plain CoAP on its own socket; serves from now on. @throws Error in one line when the port cannot be bound */
export async function createCoapTransport(core: Core): Promise<CoapTransport> {
  const { settings, clock, random, logger, metrics } = core;
  const socket = await openUdpSocket({
    address: settings.COAP_BIND_ADDRESS,
    port: settings.COAP_BIND_PORT,
    logger,
  }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${error.code ?? error.message})`;
    throw new Error(
      `UDP port ${settings.COAP_BIND_PORT} on ${settings.COAP_BIND_ADDRESS} ${reason}: see COAP_BIND_PORT`,
    );
  });
  const closing = new AbortController();
  // Every waiting command of a device listens.
  setMaxListeners(0, closing.signal);
  const endpoint = new CoapEndpoint({
    socket,
    handler: createDeviceApi(core, closing.signal),
    mayContinue: (request) => mayContinue(core, request),
    clock,
    random,
    logger,
    metrics,
    settings: {
      piggybackTimeout: settings.COAP_PIGGYBACK_TIMEOUT,
      handlerTimeout: settings.CLIENT_SIDE_RPC_TIMEOUT + HANDLER_GRACE,
      deduplicationBytes: settings.TANDEM_COAP_DEDUPLICATION_BYTES,
      maxRunning: settings.TANDEM_COAP_MAX_EXCHANGES,
      uploadBytes: settings.TANDEM_COAP_BLOCKWISE_BYTES,
      downloadBytes: settings.TANDEM_COAP_BLOCKWISE_BYTES,
      maxObservations: settings.COAP_MAX_OBSERVATIONS,
      maxObservationsPerPeer: settings.TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER,
    },
  });
  return {
    port: endpoint.local.port,
    close() {
      const closed = endpoint.close({ graceful: true });
      // What is running has been answered by now.
      closing.abort();
      return closed;
    },
  };
}
