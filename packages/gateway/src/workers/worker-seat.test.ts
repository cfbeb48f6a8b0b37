import { type ChildProcess, spawn } from 'node:child_process';
import type { Worker } from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { MetricsRegistry, silentLogger } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { Exposition, type MetricsSnapshot } from '../metrics-port/exposition';
import type { FromWorker, ToWorker } from './messages';
import { Supervisor } from './supervisor';
import { supervisorReports } from './supervisor-reports';
import { WorkerSeat } from './worker-seat';

/** A worker whose process is any other. It answers when it is told to. */
class StandIn extends EventEmitter {
  readonly asked: ToWorker[] = [];

  constructor(readonly process: Pick<ChildProcess, 'pid' | 'kill'>) {
    super();
  }

  isConnected(): boolean {
    return true;
  }

  send(message: ToWorker): void {
    this.asked.push(message);
  }

  says(message: FromWorker): void {
    this.emit('message', message);
  }

  answers(answer: MetricsSnapshot): void {
    const question = this.asked.pop();
    if (question?.kind === 'ask') this.says({ kind: 'answer', id: question.id, answer });
  }
}

const seatOf = (start: () => StandIn, clock: FakeClock) => new WorkerSeat(1, () => start() as unknown as Worker, clock);

describe('A worker that cannot hear', () => {
  it('is killed before who stops the gateway loses patience, and the log names it', async () => {
    const clock = new FakeClock();
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const worker = new StandIn(child);
    child.once('exit', (...end) => worker.emit('exit', ...end));
    const seat = seatOf(() => worker, clock);
    const lines: unknown[] = [];
    const supervisor = new Supervisor({
      seats: [seat],
      clock,
      logger: { ...silentLogger, error: (message, fields) => void lines.push([message, fields]) },
      restarts: new MetricsRegistry().counter('tandem_worker_restarts_total'),
      onReady: () => {},
    });
    const started = supervisor.start(new AbortController().signal);
    worker.says({ kind: 'ready', ports: {} as never });
    await started;
    child.kill('SIGSTOP');
    const stopped = supervisor.stop();
    clock.advance(9_000);
    await Promise.all([stopped, once(child, 'exit')]);
    expect(lines).toEqual([['worker did not stop in good order', { worker: 1, pid: child.pid, end: 'SIGKILL' }]]);
    expect(clock.timers).toBe(0);
  });
});

describe('The counters of all workers', () => {
  const clock = new FakeClock();
  let workers: StandIn[];
  let seat: WorkerSeat;
  let metrics: () => Promise<string>;
  beforeEach(() => {
    workers = [];
    seat = seatOf(() => {
      const worker = new StandIn({ pid: 1, kill: () => true });
      workers.push(worker);
      return worker;
    }, clock);
    seat.fill().ready.catch(() => {});
    const reports = supervisorReports([seat], new Exposition(new MetricsRegistry()), () => false);
    metrics = () => reports.metrics();
  });

  const last = () => workers.at(-1) ?? new StandIn({ kill: () => true });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  const hits = (value: number): MetricsSnapshot => [
    { name: 'hits_total', help: '-', type: 'counter', aggregator: 'sum', values: [{ labels: {}, value }] },
    { name: 'open', help: '-', type: 'gauge', aggregator: 'sum', values: [{ labels: {}, value }] },
  ];
  async function scrape(answer?: MetricsSnapshot): Promise<Record<string, number>> {
    const text = metrics();
    await settle();
    if (answer) last().answers(answer);
    else clock.advance(1_000);
    return Object.fromEntries(
      [...(await text).matchAll(/^(\w+) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]),
    );
  }

  it('do not fall when one of them does not answer within a second: what it told last counts', async () => {
    expect(await scrape(hits(5))).toEqual({ hits_total: 5, open: 5 });
    expect(await scrape()).toEqual({ hits_total: 5 });
    last().says({ kind: 'counts', counts: hits(8) });
    expect(await scrape()).toEqual({ hits_total: 8 });
  });

  it('do not fall when one of them dies, and those of the next one are added', async () => {
    last().says({ kind: 'counts', counts: hits(8) });
    last().emit('exit', null, 'SIGKILL');
    expect(await scrape()).toEqual({ hits_total: 8 });
    seat.fill().ready.catch(() => {});
    expect(await scrape()).toEqual({ hits_total: 8 });
    expect(await scrape(hits(1))).toEqual({ hits_total: 9, open: 1 });
  });

  it('count the last words of one that dies while it is asked once', async () => {
    const text = metrics();
    await settle();
    last().answers(hits(4));
    last().emit('exit', null, 'SIGKILL');
    expect(await text).toContain('hits_total 4\n');
  });
});
