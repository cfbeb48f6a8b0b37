import type { Core, WaiterProtocol } from '@tandem/core';
import type { DeviceSide } from './device-side';
import { CoapEndpoint, type UdpSocket } from './endpoint/index';
import { type ListedObservation, listed, waiters } from './observations/listed-observation';

export interface CoapTransport {
  readonly port: number;
  /** Those of now, oldest first; whatever begins or ends while they are gone through may be among them or not. */
  observations(): Iterable<ListedObservation>;
  /** Ends observations and running requests with 5.03 and closes the socket. */
  close(): Promise<void>;
}

/** How much longer than its own time limit a command of a device may run before the endpoint answers for it. */
const HANDLER_GRACE = 5_000;
/** How many addresses it takes to use up the memory for bodies without credentials. */
const SHARES_OF_STRANGERS = 4;

/**
 * Serves the device API on a socket from now on.
 * @param protocol names it, also in its metrics
 * @param sourceDatagrams see `SourceSettings`
 */
export function serve(
  core: Core,
  socket: UdpSocket,
  device: DeviceSide,
  protocol: Exclude<WaiterProtocol, 'http'>,
  sourceDatagrams: number,
): CoapTransport {
  const { settings, clock, random, logger, metrics } = core;
  const closing = new AbortController();
  const endpoint = new CoapEndpoint({
    socket,
    ...device.options(protocol, closing.signal),
    clock,
    random,
    logger,
    faults: core.faults,
    metrics,
    protocol,
    settings: {
      piggybackTimeout: settings.COAP_PIGGYBACK_TIMEOUT,
      handlerTimeout: settings.CLIENT_SIDE_RPC_TIMEOUT + HANDLER_GRACE,
      deduplicationBytes: settings.TANDEM_COAP_DEDUPLICATION_BYTES,
      ackTimeout: settings.TANDEM_COAP_ACK_TIMEOUT,
      maxRetransmit: settings.TANDEM_COAP_MAX_RETRANSMIT,
      maxRunning: settings.TANDEM_COAP_MAX_EXCHANGES,
      maxRunningPerPeer: settings.TANDEM_COAP_MAX_EXCHANGES_PER_PEER,
      maxQueuedPerPeer: settings.TANDEM_COAP_MAX_QUEUED_PER_PEER,
      maxUnacknowledged: settings.TANDEM_COAP_MAX_UNACKNOWLEDGED,
      maxBody: settings.TANDEM_COAP_MAX_BODY,
      uploadBytesPerPeer: settings.TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER,
      uploadBytes: settings.TANDEM_COAP_BLOCKWISE_BYTES,
      maxStrangerBody: settings.TANDEM_PROVISION_MAX_BYTES,
      strangerBytesPerSource: settings.TANDEM_COAP_STRANGER_BYTES / SHARES_OF_STRANGERS,
      strangerBytes: settings.TANDEM_COAP_STRANGER_BYTES,
      downloadBytesPerPeer: settings.TANDEM_COAP_BLOCKWISE_BYTES_PER_PEER,
      downloadBytes: settings.TANDEM_COAP_BLOCKWISE_BYTES,
      maxObservations: settings.COAP_MAX_OBSERVATIONS,
      maxObservationsPerPeer: settings.TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER,
      maxPeers: settings.TANDEM_COAP_MAX_PEERS,
      nonBurst: settings.TANDEM_COAP_NON_BURST,
      echo: settings.COAP_ECHO === 'on',
      sourceReplies: settings.TANDEM_COAP_SOURCE_REPLIES,
      sourceDatagrams,
      maxSources: settings.TANDEM_COAP_MAX_SOURCES,
    },
  });
  const forget = core.waiters.add(() => waiters(endpoint.observations(), protocol));
  return {
    port: endpoint.local.port,
    observations: () => listed(endpoint.observations()),
    close() {
      forget();
      const closed = endpoint.close({ graceful: true });
      // What is running has been answered by now.
      closing.abort();
      return closed;
    },
  };
}
