import {
  type Logger,
  MetricsRegistry,
  type Millis,
  makeCore,
  type Platform,
  type Role,
  type Settings,
  systemClock,
  systemRandom,
  timedState,
} from '@tandem/core';
import { keepAdministrators } from './administrators/administrators';
import { type CoapSockets, coapDoorsOf, OWN_SOCKETS } from './doors/coap-doors';
import { type Doors, openDoors } from './doors/doors';
import { Exposition } from './metrics-port/exposition';
import { openMetricsPort } from './metrics-port/metrics-port';
import { processMetrics } from './metrics-port/process-metrics';
import { Readiness } from './metrics-port/readiness';
import { healthReports, type ProcessReports, processReports } from './metrics-port/reports';
import { loadPayloadCodecs } from './payload-codecs';
import { startActivityReports, startConnectivityMonitor } from './rounds/connectivity-monitor';
import { startFirmwareRollouts } from './rounds/firmware-rollouts';
import { startRemovalSweeper } from './rounds/removal-sweeper';
import { startFinishedRpcSweeper, startRpcSweeper } from './rounds/rpc-sweeper';
import { readSecretBox } from './settings/secret-key-file';
import { Shutdown } from './shutdown/shutdown';
import { openStore } from './store/open-store';
import { Patience } from './store/patience';
import { openTlsFiles } from './tls/tls-files';
import { startTracing } from './tracing/tracing';
import { webhookBackend } from './webhook';

/** How long the last spans may take to be sent: a collector that is away must not hold up the end. */
const LAST_SPANS: Millis = 1_000;

/** How long the last report may take: closing a store that hangs takes long enough. */
const LAST_REPORT: Millis = 1_500;

export interface Gateway {
  /** Ports as they were bound: of use where a setting said 0. */
  readonly ports: {
    readonly http?: number;
    readonly coap?: number;
    readonly coaps?: number;
    readonly metrics?: number;
  };
  /** Processes that serve; undefined: this one does. */
  readonly workers?: number;
  /** Answers what waits, flushes, closes; resolves when nothing is open any more. */
  stop(): Promise<void>;
}

/** What a process that shares its ports with others is given by the one that supervises them. */
export interface Place {
  readonly sockets: CoapSockets;
  /** It has one metrics port for all of them, and asks each for what that tells. */
  report(reports: ProcessReports): void;
}

/**
 * Composes one process by its roles and starts it; resolves when all sockets are bound. A Redis that does not answer is
 * waited for.
 * @param stop ends that waiting
 * @param place undefined: this process is alone behind its ports
 * @throws an Error whose message says in one line what is in the way; the reason of `stop` when that ended it
 */
export async function startGateway(
  settings: Settings,
  logger: Logger,
  stop: AbortSignal,
  place?: Place,
): Promise<Gateway> {
  const shutdown = new Shutdown(logger, systemClock);
  try {
    return await compose(settings, logger, shutdown, stop, place);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function compose(
  settings: Settings,
  logger: Logger,
  shutdown: Shutdown,
  stop: AbortSignal,
  place: Place | undefined,
): Promise<Gateway> {
  // Before anything is opened: a codec that is none stops the start.
  const codecs = await loadPayloadCodecs(settings.TANDEM_PAYLOAD_CODECS);
  if (codecs.length > 0) logger.info('payload codecs loaded', { codecs: codecs.map(({ name }) => name) });
  const secretBox = readSecretBox(settings, systemRandom, logger);
  if (secretBox.keyIds.length > 0) logger.info('stored secrets are encrypted', { keyIds: secretBox.keyIds });
  const metrics = new MetricsRegistry();
  const platform = { clock: systemClock, random: systemRandom, logger, metrics };
  const tracing = await startTracing(process.env, platform);
  shutdown.last('traces', () => tracing.stop(), LAST_SPANS);
  const https = await openHttpsFiles(settings, platform);
  if (https) shutdown.last('certificates', () => void https.close());
  const sockets = place?.sockets ?? OWN_SOCKETS;
  const readiness = new Readiness({
    doors: doorsOf(settings, sockets),
    embedded: settings.REDIS_URL === undefined,
    materialises: settings.TANDEM_ROLES.includes('api'),
    clock: systemClock,
    stopping: () => shutdown.begun,
  });
  // Before the store: a process that waits for it can be asked why it is not ready.
  let doors: Doors | undefined;
  const exposition = new Exposition(metrics, processMetrics());
  const reports = processReports(exposition, readiness, () => doors?.observations() ?? []);
  place?.report(reports);
  const metricsPort = place ? undefined : await openMetricsPort(settings, healthReports(reports, exposition), shutdown);

  const patience = new Patience(settings.REDIS_URL !== undefined, stop, systemClock, logger);
  const onWaiting = (reason: string) => readiness.waiting(reason);
  const state = await openStore(settings, platform, { patience, secretBox, onWaiting });
  shutdown.last('store', () => state.close());
  readiness.opened(state);

  const webhook = settings.TANDEM_RPC_WEBHOOK_URL;
  const timed = timedState(state, systemClock, metrics);
  const seen = tracing.state(timed, settings.REDIS_URL ? 'redis' : 'lmdb');
  const core = makeCore(seen, settings, platform, webhook && webhookBackend(webhook), codecs);
  const endReports = startActivityReports(core);
  shutdown.last('activity reports', endReports, LAST_REPORT);
  // Takes as long as its step: in the time of the report, and ended by the store.
  shutdown.last('materialiser', () => void state.materialiser.stop().catch(() => {}));
  if (settings.TANDEM_ROLES.includes('api')) {
    shutdown.first('administrators', await keepAdministrators(core, patience));
    await patience.with('the materialiser', () => state.materialiser.start());
    shutdown.first('sweeper', startRpcSweeper(core));
    shutdown.first('removal sweeper', startRemovalSweeper(core));
    shutdown.first('sweeper of finished commands', startFinishedRpcSweeper(core));
    shutdown.first('connectivity monitor', startConnectivityMonitor(core));
    shutdown.first('firmware rollouts', startFirmwareRollouts(core));
  }
  doors = await openDoors(core, { patience, shutdown, https, sockets, readiness });
  return { ports: { ...doors.ports, metrics: metricsPort }, stop: () => shutdown.run() };
}

/** Those that this process opens. */
function doorsOf(settings: Settings, sockets: CoapSockets): Role[] {
  const http = settings.TANDEM_ROLES.filter((role) => role === 'http' || role === 'api');
  const open = coapDoorsOf(settings);
  const coap = (['coap', 'coaps'] as const).filter((door) => open[door] && sockets[door] !== 'closed');
  return [...http, ...coap];
}

/** Before the store is opened: what is wrong with them is told at once. */
async function openHttpsFiles(settings: Settings, platform: Pick<Platform, 'clock' | 'logger' | 'metrics'>) {
  const { SSL_ENABLED, TANDEM_ROLES } = settings;
  const serves = TANDEM_ROLES.includes('http') || TANDEM_ROLES.includes('api');
  return SSL_ENABLED && serves ? openTlsFiles(settings, 'https', platform) : undefined;
}
