import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { createCoapTransport } from '@tandem/coap-transport';
import {
  type Core,
  type Logger,
  MetricsRegistry,
  makeCore,
  type Platform,
  type Role,
  type Settings,
  type State,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { answerTheRest, createApp, createDeviceApi, createHttpServer, listen } from '@tandem/http-transport';
import { createServerApi } from '@tandem/server-api';
import { boundsOf, DiskFullError, FolderInUseError, openEmbeddedState } from '@tandem/state-embedded';
import { ensureAdministrators } from './administrators';
import { createHealthServer } from './health';
import { closeServer } from './http-close';
import { registerProcessMetrics } from './process-metrics';
import { startRpcSweeper } from './rpc-sweeper';
import { Shutdown } from './shutdown';
import { webhookBackend } from './webhook';

export interface Gateway {
  /** Ports as they were bound: of use where a setting said 0. */
  readonly ports: { readonly http?: number; readonly coap?: number; readonly metrics: number };
  /** Answers what waits, flushes, closes; resolves when nothing is open any more. */
  stop(): Promise<void>;
}

/**
 * Composes one process by its roles and starts it; resolves when all sockets are bound.
 * @throws FolderInUseError, or an Error whose message says in one line what is in the way
 */
export async function startGateway(settings: Settings, logger: Logger): Promise<Gateway> {
  const shutdown = new Shutdown(logger, systemClock);
  try {
    return await compose(settings, logger, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function compose(settings: Settings, logger: Logger, shutdown: Shutdown): Promise<Gateway> {
  const metrics = new MetricsRegistry();
  const platform = { clock: systemClock, random: systemRandom, logger, metrics };
  makeDataFolder(settings.TANDEM_DATA_DIR);
  const state = await openState(settings, platform);
  shutdown.last('store', () => state.close());
  const webhook = settings.TANDEM_RPC_WEBHOOK_URL;
  const core = makeCore(state, settings, platform, webhook && webhookBackend(webhook));
  registerProcessMetrics(metrics);
  const starting = new Set<string>(settings.TANDEM_ROLES);
  const health = createHealthServer(core, { notReady: () => notReady(core, starting, shutdown) });
  const metricsPort = await bind(health, settings.TANDEM_METRICS_ADDRESS, 'TANDEM_METRICS_PORT', settings);
  shutdown.last('metrics', () => closeServer(health));

  await ensureAdministrators(core);
  const runs = (role: Role) => settings.TANDEM_ROLES.includes(role);
  if (runs('api')) {
    await state.materialiser.start();
    shutdown.first('sweeper', startRpcSweeper(core));
  }
  const [http, coap] = await allStarted([
    runs('http') || runs('api') ? startHttp(core, shutdown) : undefined,
    runs('coap') && settings.COAP_ENABLED ? startCoap(core, shutdown) : undefined,
  ]);
  starting.clear();
  return { ports: { http, coap, metrics: metricsPort }, stop: () => shutdown.run() };
}

/** @throws Error in one line that names the setting */
function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`Data folder ${folder} cannot be made: ${(error as Error).message} (TANDEM_DATA_DIR)`);
  }
}

/** @throws FolderInUseError, in one line that names the setting */
async function openState(settings: Settings, platform: Platform): Promise<State> {
  try {
    return await openEmbeddedState({
      folder: settings.TANDEM_DATA_DIR,
      durability: settings.TANDEM_DURABILITY,
      ...boundsOf(settings),
      ...platform,
    });
  } catch (error) {
    if (error instanceof FolderInUseError || error instanceof DiskFullError) error.message += ' (TANDEM_DATA_DIR)';
    throw error;
  }
}

/** Waits for all also when one fails: what has started must be known to the shutdown before that runs. */
async function allStarted(parts: readonly (Promise<number> | undefined)[]): Promise<(number | undefined)[]> {
  const outcomes = await Promise.allSettled(parts);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

async function startHttp(core: Core, shutdown: Shutdown): Promise<number> {
  const { settings } = core;
  const app = createApp();
  const deviceApi = settings.TANDEM_ROLES.includes('http') ? createDeviceApi(core) : undefined;
  if (deviceApi) shutdown.first('device API', () => deviceApi.close());
  if (settings.TANDEM_ROLES.includes('api')) {
    const serverApi = await createServerApi(core);
    app.use(serverApi.router);
    shutdown.first('server API', () => serverApi.close());
  }
  answerTheRest(app, core);
  const server = createHttpServer(app, { first: deviceApi?.middleware });
  const port = await bind(server, settings.HTTP_BIND_ADDRESS, 'HTTP_BIND_PORT', settings);
  shutdown.sockets('HTTP', () => closeServer(server));
  return port;
}

/** @throws Error that names the setting whose port cannot be had */
async function bind(
  server: Server,
  host: string,
  setting: 'HTTP_BIND_PORT' | 'TANDEM_METRICS_PORT',
  settings: Settings,
): Promise<number> {
  try {
    return (await listen(server, { host, port: settings[setting] })).port;
  } catch (error) {
    throw new Error(`${(error as Error).message} (${setting})`, { cause: error });
  }
}

async function startCoap(core: Core, shutdown: Shutdown): Promise<number> {
  const transport = await createCoapTransport(core);
  shutdown.sockets('CoAP', () => transport.close());
  return transport.port;
}

async function notReady(core: Core, starting: ReadonlySet<string>, shutdown: Shutdown): Promise<readonly string[]> {
  const parts = [...starting].map((role) => `${role} is starting`);
  if (shutdown.begun) parts.push('shutting down');
  await core.state.ping().catch(() => parts.push('the store does not answer'));
  return parts;
}
