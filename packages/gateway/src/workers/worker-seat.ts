import type { Worker } from 'node:cluster';
import type { Clock, Millis } from '@tandem/core';
import type { Gateway } from '../gateway';
import type { MetricsSnapshot } from '../metrics-port/exposition';
import { LastingCounts } from './lasting-counts';
import type { Answers, FromWorker, Question, ToWorker } from './messages';

/** The readiness of a worker takes up to two seconds, and who asks the supervisor waits for four. */
const LONGEST_ANSWER: Millis = 3_000;
/** There is something to say without it, and who asks has the others to hear. */
const LONGEST_ANSWER_OF_METRICS: Millis = 1_000;
/** Of a stop in good order. A process that is asked to stop has 10 s for all, and must leave nobody behind. */
const LONGEST_STOP: Millis = 8_500;

/** How a worker ended. */
export interface End {
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly signal: string | null;
  /** How long it was ready. */
  readonly lived: Millis;
  /** What it said of why it cannot start. */
  readonly problem: string | undefined;
}

/** One worker, from its start on. */
export interface Filling {
  /** @throws Error in one line when it ends before */
  readonly ready: Promise<Gateway['ports']>;
  readonly ended: Promise<End>;
}

/** A place among the workers: its number and its sockets stay, whoever fills it. */
export class WorkerSeat {
  readonly #counts = new LastingCounts();
  readonly #questions = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  #child: Worker | undefined;
  #ended: Promise<End> | undefined;
  #readySince: Millis | undefined;

  /** @param start begins a worker that knows its number and its sockets */
  constructor(
    readonly number: number,
    private readonly start: () => Worker,
    private readonly clock: Clock,
  ) {}

  get isFilled(): boolean {
    return this.#child !== undefined;
  }

  get isReady(): boolean {
    return this.#readySince !== undefined;
  }

  fill(): Filling {
    const child = this.start();
    this.#child = child;
    let problem: string | undefined;
    let onReady: (ports: Gateway['ports']) => void = () => {};
    child.on('message', (message: FromWorker) => {
      if (message.kind === 'answer') this.#questions.get(message.id)?.(message.answer);
      else if (message.kind === 'counts') this.#counts.report(message.counts);
      else if (message.kind === 'refused') problem = message.problem;
      else {
        this.#readySince = this.clock.monotonic();
        onReady(message.ports);
      }
    });
    // A message to one that is dying: its end is heard of below.
    child.on('error', () => {});
    const ended = new Promise<End>((resolve) => {
      child.once('exit', (code: number | null, signal: string | null) => {
        const lived = this.#readySince === undefined ? 0 : this.clock.monotonic() - this.#readySince;
        this.#child = undefined;
        this.#readySince = undefined;
        this.#counts.end();
        for (const unanswered of [...this.#questions.values()]) unanswered(undefined);
        resolve({ pid: child.process.pid, code, signal, lived, problem });
      });
    });
    this.#ended = ended;
    const ready = new Promise<Gateway['ports']>((resolve, reject) => {
      onReady = resolve;
      ended.then((end) => reject(new Error(end.problem ?? `worker ${this.number} ended as it started (${how(end)})`)));
    });
    return { ready, ended };
  }

  /** Undefined where there is nobody, and where no answer comes in time. */
  ask<A extends Question['about']>(question: Question & { readonly about: A }): Promise<Answers[A] | undefined> {
    const child = this.#child;
    if (!child?.isConnected()) return Promise.resolve(undefined);
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const settle = (answer: unknown) => {
        timer.cancel();
        this.#questions.delete(id);
        resolve(answer as Answers[A] | undefined);
      };
      const timer = this.clock.setTimer(question.about === 'metrics' ? LONGEST_ANSWER_OF_METRICS : LONGEST_ANSWER, () =>
        settle(undefined),
      );
      this.#questions.set(id, settle);
      const message: ToWorker = { kind: 'ask', id, question };
      child.send(message, () => {});
    });
  }

  /** Of all that have been here. Counters and histograms never fall; all else is of the one that is here, where it answers. */
  async metrics(): Promise<MetricsSnapshot> {
    const answer = await this.ask({ about: 'metrics' });
    if (answer) this.#counts.report(answer);
    // Both of one moment: nobody can have ended between the answer and this.
    return [...this.#counts.ended, ...(answer ?? this.#counts.last)];
  }

  /** Resolves when nobody is there any more, who cannot hear included; undefined: nobody was. */
  async empty(): Promise<End | undefined> {
    const child = this.#child;
    if (!child) return undefined;
    child.process.kill('SIGTERM');
    const kill = this.clock.setTimer(LONGEST_STOP, () => child.process.kill('SIGKILL'));
    const end = await this.#ended;
    kill.cancel();
    return end;
  }
}

export const how = ({ code, signal }: Pick<End, 'code' | 'signal'>): string => signal ?? `exit code ${code}`;
