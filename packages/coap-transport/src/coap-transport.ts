import { setMaxListeners } from 'node:events';
import { type Core, type Millis, quietLogger } from '@tandem/core';
import { admit, createDeviceApi, mayContinue } from './device-api';
import { sameDevicePath } from './device-path';
import { CoapEndpoint, openUdpSocket } from './endpoint/index';
import { type ListedObservation, listed } from './listed-observation';
import { LockOut } from './lock-out';
import { Lookups } from './lookups';
import { ProvisioningDoor } from './provisioning';

export interface CoapTransport {
  readonly port: number;
  /** Those of now, oldest first; whatever begins or ends while they are gone through may be among them or not. */
  observations(): Iterable<ListedObservation>;
  /** Ends observations and running requests with 5.03 and closes the socket. */
  close(): Promise<void>;
}

/** How much longer than its own time limit a command of a device may run before the endpoint answers for it. */
const HANDLER_GRACE = 5_000;
/** Who forges addresses that cannot be sent to makes a line for each. */
const LOG_INTERVAL: Millis = 10_000;

/** How many addresses it takes to use up the memory for bodies without credentials. */
const SHARES_OF_STRANGERS = 4;

const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);

/** Plain CoAP on its own socket; serves from now on. @throws Error in one line when the port cannot be bound */
export async function createCoapTransport(core: Core): Promise<CoapTransport> {
  const { settings, clock, random, logger, metrics } = core;
  const socket = await openUdpSocket({
    address: settings.COAP_BIND_ADDRESS,
    port: settings.COAP_BIND_PORT,
    logger: quietLogger(logger, clock, LOG_INTERVAL),
  }).catch((error: NodeJS.ErrnoException) => {
    const { COAP_BIND_ADDRESS: address, COAP_BIND_PORT: port } = settings;
    if (error.code !== undefined && NO_SUCH_ADDRESS.has(error.code)) {
      throw new Error(`${address} is no address of this machine (${error.code}): see COAP_BIND_ADDRESS`);
    }
    const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be bound (${error.code ?? error.message})`;
    throw new Error(`UDP port ${port} on ${address} ${reason}: see COAP_BIND_PORT`);
  });
  const closing = new AbortController();
  // Every waiting command of a device listens.
  setMaxListeners(0, closing.signal);
  // At most half of all exchanges: the others are for those whose credentials are known.
  const maxLookups = Math.min(settings.TANDEM_COAP_MAX_LOOKUPS, Math.ceil(settings.TANDEM_COAP_MAX_EXCHANGES / 2));
  const lockOut = new LockOut(core.credentialsGuard);
  const lookups = new Lookups(core.auth, lockOut, maxLookups, metrics);
  const provisioning = new ProvisioningDoor(core);
  const endpoint = new CoapEndpoint({
    socket,
    handler: createDeviceApi(core, lookups, lockOut, provisioning, closing.signal),
    admit: (request) => admit(core, lookups, lockOut, provisioning, request),
    mayContinue: (request) => mayContinue(core, request),
    sameResource: (one, other) => sameDevicePath(one.path, other.path),
    clock,
    random,
    logger,
    faults: core.faults,
    metrics,
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
      sourceDatagrams: settings.TANDEM_COAP_SOURCE_DATAGRAMS,
      maxSources: settings.TANDEM_COAP_MAX_SOURCES,
    },
  });
  return {
    port: endpoint.local.port,
    observations: () => listed(endpoint.observations()),
    close() {
      const closed = endpoint.close({ graceful: true });
      // What is running has been answered by now.
      closing.abort();
      return closed;
    },
  };
}
