import type { ListedObservation } from '@tandem/coap-transport';
import { consoleFiles } from '@tandem/console';
import type { Core, Role, TlsFiles, Watched } from '@tandem/core';
import {
  answerTheRest,
  ClientCertificates,
  countTheRest,
  createApp,
  createDeviceApi,
  createHttpServer,
  httpLimits,
  type Upgrades,
} from '@tandem/http-transport';
import { createServerApi, pageFiles } from '@tandem/server-api';
import type { Readiness } from '../metrics-port/readiness';
import { closeServer } from '../shutdown/http-close';
import { PATIENCE, type Shutdown } from '../shutdown/shutdown';
import type { Patience } from '../store/patience';
import { version } from '../version';
import { bind } from './bind';
import { type CoapSockets, openCoapDoors } from './coap-doors';

export interface Doors {
  /** As they were bound; undefined where a role is not run. */
  readonly ports: { readonly http?: number; readonly coap?: number; readonly coaps?: number };
  /** Of the CoAP doors; none without them. */
  observations(): Iterable<ListedObservation>;
}

export interface DoorsOptions {
  readonly patience: Patience;
  readonly shutdown: Shutdown;
  /** What to serve HTTPS with; undefined is plain HTTP. */
  readonly https: Watched<TlsFiles> | undefined;
  /** Of the CoAP doors. */
  readonly sockets: CoapSockets;
  /** Hears which doors are open. */
  readonly readiness: Readiness;
}

/**
 * Opens the doors of this process' roles.
 * @throws Error that says in one line which of them cannot be opened
 */
export async function openDoors(core: Core, options: DoorsOptions): Promise<Doors> {
  const runs = (role: Role) => core.settings.TANDEM_ROLES.includes(role);
  const [http, coap] = await allStarted(
    runs('http') || runs('api') ? startHttp(core, options) : undefined,
    openCoapDoors(core, options),
  );
  return { ports: { http, ...coap?.ports }, observations: () => coap?.observations() ?? [] };
}

/** Waits for all also when one fails: what has started must be known to the shutdown before that runs. */
async function allStarted<A, B>(one: Promise<A> | undefined, other: Promise<B> | undefined) {
  const outcomes = await Promise.allSettled([one, other]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return Promise.all([one, other]);
}

async function startHttp(core: Core, { patience, shutdown, https, readiness }: DoorsOptions): Promise<number> {
  const { settings } = core;
  const app = createApp();
  const tls = https && { files: https, clientCertificates: settings.TANDEM_SSL_CLIENT_CERTIFICATES };
  const certificates = tls?.clientCertificates ? new ClientCertificates(core, tls.files) : undefined;
  const deviceApi = settings.TANDEM_ROLES.includes('http') ? createDeviceApi(core, certificates) : undefined;
  if (deviceApi) shutdown.first('device API', () => deviceApi.close(PATIENCE));
  let refused = deviceApi?.refused;
  let upgrades: Upgrades | undefined;
  if (settings.TANDEM_ROLES.includes('api')) {
    const serverApi = await patience.with('the server API', () => createServerApi(core, version()));
    refused ??= serverApi.refused;
    countTheRest(app, core.clock, refused, serverApi.takes);
    app.use(serverApi.router);
    app.use(pageFiles(consoleFiles()));
    upgrades = serverApi.webSockets;
    shutdown.first('server API', () => serverApi.close(PATIENCE));
  } else if (refused) countTheRest(app, core.clock, refused, () => false);
  answerTheRest(app, core);
  const { clock, callers, metrics } = core;
  const server = createHttpServer(app, {
    first: deviceApi?.middleware,
    upgrades,
    tls,
    limits: httpLimits(core),
    clock,
    callers,
    metrics,
    refused,
  });
  const port = await bind(server, settings.HTTP_BIND_ADDRESS, 'HTTP_BIND_PORT', settings);
  shutdown.sockets('HTTP', (elapsed) => closeServer(server, elapsed));
  for (const role of ['http', 'api'] as const) if (settings.TANDEM_ROLES.includes(role)) readiness.serves(role);
  return port;
}
