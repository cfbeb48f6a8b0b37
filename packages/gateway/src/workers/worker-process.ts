import cluster from 'node:cluster';
import { type Logger, type Millis, readSettings } from '@tandem/core';
import type { Gateway } from '../gateway';
import { makeLogger } from '../logging/logger';
import { problemsOf } from '../logging/problems';
import type { Part } from '../metrics-port/parts';
import type { ProcessReports } from '../metrics-port/reports';
import { aborted, signalOf, stopSignal } from '../shutdown/stop-signal';
import { dieOfTheUnexpected, outliveReadersOfOutput } from '../shutdown/unexpected';
import type { Begin, FromWorker, Question, ToWorker } from './messages';

/**
 * One of the processes behind the ports of `tandem serve`: a gateway that is told by its supervisor what to be, and tells it what it sees.
 */

/** What is lost of the counts of a worker that is killed. */
const COUNTS_EVERY: Millis = 2_000;

const { signal: stop, stop: stopFor } = stopSignal();
let reports: ProcessReports | undefined;

function lookAfterTheSupervisor(): void {
  // Node would end a worker without its supervisor on the spot.
  if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
  process.once('disconnect', () => stopFor('the supervisor is gone'));
}

const tell = (message: FromWorker, told?: () => void): void => {
  // Whether it is heard or not: without a supervisor the process stops.
  if (process.connected) process.send?.(message, undefined, undefined, () => told?.());
  else told?.();
};

async function tellCounts(): Promise<void> {
  const counts = await reports?.counts();
  if (counts) await new Promise<void>((resolve) => tell({ kind: 'counts', counts }, resolve));
}

/** One after the other: they do not pile up for a supervisor that does not listen. */
function keepTellingCounts(): void {
  const again = () => void setTimeout(() => void tellCounts().then(again), COUNTS_EVERY).unref();
  again();
}

const LOADING: Part = { name: 'process', state: 'starting', reason: 'it is being loaded', needed: true };

async function answer(question: Question) {
  switch (question.about) {
    case 'hanging':
      return reports?.hanging() ?? [];
    case 'parts':
      return (await reports?.parts()) ?? [LOADING];
    case 'metrics':
      return (await reports?.metrics()) ?? [];
    case 'observations':
      return (await reports?.observations(question.query)) ?? { total: 0, rows: [] };
  }
}

function listen(begin: (message: Begin) => void): void {
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'begin') return begin(message);
    // No answer counts as an answer that something is wrong.
    answer(message.question).then(
      (said) => tell({ kind: 'answer', id: message.id, answer: said }),
      () => {},
    );
  });
}

async function work({ worker, sources, sockets }: Begin): Promise<void> {
  let logger: Logger | undefined;
  let gateway: Gateway;
  try {
    const settings = readSettings(sources.environment, sources.file);
    logger = makeLogger(settings.TANDEM_LOG_LEVEL, { worker });
    dieOfTheUnexpected(logger);
    outliveReadersOfOutput();
    const { startGateway } = await import('../gateway.js');
    gateway = await startGateway(settings, logger, stop, {
      sockets,
      report: (own) => {
        reports = own;
      },
    });
  } catch (error) {
    if (error === stop.reason) process.exit(0);
    tell({ kind: 'refused', problem: problemsOf(error).join('; ') }, () => process.exit(1));
    return;
  }
  logger.info('worker ready', { pid: process.pid, startMillis: Math.round(performance.now()) });
  tell({ kind: 'ready', ports: gateway.ports });
  keepTellingCounts();
  await aborted(stop);
  logger.info('worker stopping', signalOf(stop));
  await gateway.stop();
  await tellCounts();
  process.exit(0);
}

lookAfterTheSupervisor();
listen((message) => void work(message));
