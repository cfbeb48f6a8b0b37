import cluster, { type Worker } from 'node:cluster';
import { join } from 'node:path';
import { bindPortGroup, NoPortGroup, type PortGroup } from '@tandem/coap-transport';
import { type Logger, MetricsRegistry, type Settings, systemClock } from '@tandem/core';
import { type CoapSockets, coapDoorsOf } from '../doors/coap-doors';
import type { Gateway } from '../gateway';
import { Exposition } from '../metrics-port/exposition';
import { openMetricsPort } from '../metrics-port/metrics-port';
import { processMetrics } from '../metrics-port/process-metrics';
import type { SettingsSources } from '../settings/settings-file';
import { Shutdown } from '../shutdown/shutdown';
import { howManyWorkers } from './how-many';
import type { Begin } from './messages';
import { Supervisor } from './supervisor';
import { supervisorReports } from './supervisor-reports';
import { WorkerSeat } from './worker-seat';

/** Descriptors in a worker, after its standard streams and the channel to the supervisor. */
const COAP = 4;
const COAPS = 5;

export interface WorkersOptions {
  readonly settings: Settings;
  /** What the settings were read from. */
  readonly sources: SettingsSources;
  readonly logger: Logger;
  /** Ends the start. */
  readonly stop: AbortSignal;
}

/**
 * Several worker processes behind the same ports: whoever is free takes the next HTTP connection, and a CoAP peer stays with one of them,
 * also over its death. This process serves nothing but the metrics port.
 * @throws Error in one line that says what is in the way; the reason of `stop` when that ended the start
 */
export async function startWorkers(options: WorkersOptions): Promise<Gateway> {
  const shutdown = new Shutdown(options.logger, systemClock);
  try {
    return await compose(options, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function compose({ settings, sources, logger, stop }: WorkersOptions, shutdown: Shutdown): Promise<Gateway> {
  const count = howManyWorkers(settings);
  const groups = await bindCoapPorts(settings, count, logger);
  const seats = Array.from({ length: count }, (_, at) => {
    const begin: Begin = { kind: 'begin', worker: at + 1, sources, sockets: socketsOf(groups, at) };
    return new WorkerSeat(begin.worker, () => fork(begin, groups, at), systemClock);
  });
  const onReady = ({ number }: WorkerSeat) => {
    for (const group of [groups.coap, groups.coaps]) group?.keepOthersOut(group.descriptors[number - 1] ?? -1);
  };
  const metrics = new MetricsRegistry();
  metrics.gauge('tandem_workers_ready', () => seats.filter((seat) => seat.isReady).length);
  const restarts = metrics.counter('tandem_worker_restarts_total');
  const supervisor = new Supervisor({ seats, clock: systemClock, logger, restarts, onReady });
  const own = new Exposition(metrics, processMetrics());
  const reports = supervisorReports(seats, own, () => supervisor.stopping);
  const metricsPort = await openMetricsPort(settings, reports, shutdown);
  shutdown.sockets('workers', () => supervisor.stop());
  const ports = await supervisor.start(stop);
  return { ports: { ...ports, metrics: metricsPort }, workers: count, stop: () => shutdown.run() };
}

interface PortGroups {
  readonly coap?: PortGroup;
  readonly coaps?: PortGroup;
  /** The first worker binds for itself, and no other one opens a CoAP door. */
  readonly firstAlone: boolean;
}

async function bindCoapPorts(settings: Settings, count: number, logger: Logger): Promise<PortGroups> {
  const doors = coapDoorsOf(settings);
  try {
    return {
      coap: doors.coap ? await bindPortGroup(settings, 'COAP', count) : undefined,
      coaps: doors.coaps ? await bindPortGroup(settings, 'COAP_DTLS', count) : undefined,
      firstAlone: false,
    };
  } catch (error) {
    if (!(error instanceof NoPortGroup)) throw error;
    logger.warn('CoAP is served by the first worker alone, everything else by all', { reason: error.message });
    return { firstAlone: true };
  }
}

function socketsOf({ coap, coaps, firstAlone }: PortGroups, at: number): CoapSockets {
  if (firstAlone) return at === 0 ? { coap: 'bind', coaps: 'bind' } : { coap: 'closed', coaps: 'closed' };
  return { coap: coap ? COAP : 'closed', coaps: coaps ? COAPS : 'closed' };
}

function fork(begin: Begin, { coap, coaps }: PortGroups, at: number): Worker {
  // Whoever is free takes a connection itself: by turns, one that is on its way to a worker that dies would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: join(__dirname, 'worker-process.js'),
    args: [],
    // The sockets of CoAP are handed down as open files.
    stdio: [
      'ignore',
      'inherit',
      'inherit',
      'ipc',
      coap?.descriptors[at] ?? 'ignore',
      coaps?.descriptors[at] ?? 'ignore',
    ],
  });
  const worker = cluster.fork();
  worker.send(begin, () => {});
  return worker;
}
