import { limitedAs } from '../accounts/principals';
import type { User, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { MetricsRegistry } from '../platform/metrics';
import type { Processes } from '../state/processes';
import type { RateCounters, RateLimit } from '../state/rate-counters';
import type { Waiter, WaiterHere, WaiterSource } from './waiter';
import {
  answerText,
  questionText,
  readAnswer,
  readQuestion,
  type WaitersAnswer,
  type WaitersQuestion,
} from './waiters-question';

const TOPIC = 'waiters';
/** Looked at before others get their turn: a process may have 50,000. */
const AT_ONCE = 500;
/** Devices that one question names: 40 bytes each, to every process. */
const DEVICES_AT_ONCE = 2_000;
const RETRY: Millis = 1_000;

export interface WaitersSettings {
  /** `TANDEM_WAITERS_TIMEOUT` */
  readonly timeout: Millis;
  /** `TANDEM_WAITERS_RATE` */
  readonly rate: readonly RateLimit[];
  /** `TANDEM_WAITERS_MAX_QUESTIONS` */
  readonly maxQuestions: number;
}

export type FoundWaiter = Waiter & { readonly process: string };

export interface FoundWaiters {
  readonly polls: number;
  readonly observations: number;
  /** Those that wait for longest, in that order. */
  readonly waiters: readonly FoundWaiter[];
  /** Processes that have answered, and those that have not in time. */
  readonly processes: number;
  readonly unanswered: number;
}

/** Who waits at which process: told by the doors of each, asked over all of them. */
export class Waiters {
  readonly #sources = new Set<WaiterSource>();
  #asking = 0;
  #answering = 0;
  readonly #asked: { add(): void };
  readonly #refused: { add(): void };
  readonly #unanswered: { add(n?: number): void };

  constructor(
    private readonly processes: Processes,
    private readonly rateCounters: RateCounters,
    private readonly settings: WaitersSettings,
    private readonly clock: Clock,
    metrics: MetricsRegistry,
  ) {
    processes.answer(TOPIC, (question) => this.#answer(question));
    this.#asked = metrics.counter('tandem_waiters_asked_total');
    this.#refused = metrics.counter('tandem_waiters_refused_total');
    this.#unanswered = metrics.counter('tandem_waiters_unanswered_total');
    metrics.gauge('tandem_waiters_questions', () => {
      return this.#asking + this.#answering;
    });
  }

  /** @returns takes them away */
  add(source: WaiterSource): () => void {
    this.#sources.add(source);
    return () => void this.#sources.delete(source);
  }

  /**
   * Asks all processes. What is counted and told is of the tenant and, where devices are named, of those alone: whose they are
   * is for the caller to know.
   * @param user who asks, and may do so only now and then
   * @throws TandemError TOO_MANY_REQUESTS, STORE_UNAVAILABLE
   */
  async find(user: Pick<User, 'id' | 'customerId'>, question: WaitersQuestion): Promise<FoundWaiters> {
    await this.#takeTurn(user);
    if (this.#asking >= this.settings.maxQuestions) throw this.#tooMany('Too many ask at once', RETRY);
    this.#asking++;
    try {
      let found = await this.#ask({ ...question, devices: question.devices?.slice(0, DEVICES_AT_ONCE) });
      for (let from = DEVICES_AT_ONCE; from < (question.devices?.length ?? 0); from += DEVICES_AT_ONCE) {
        const devices = question.devices?.slice(from, from + DEVICES_AT_ONCE);
        found = together(found, await this.#ask({ ...question, devices }), question.limit);
      }
      return found;
    } finally {
      this.#asking--;
    }
  }

  async #ask(question: WaitersQuestion): Promise<FoundWaiters> {
    this.#asked.add();
    const { replies, reached } = await this.processes.ask(TOPIC, questionText(question), this.settings.timeout);
    const answers = replies.flatMap(({ process, text }) => {
      const answer = readAnswer(text);
      return answer ? [{ process, answer }] : [];
    });
    const unanswered = reached - answers.length;
    if (unanswered > 0) this.#unanswered.add(unanswered);
    const waiters = answers.flatMap(({ process, answer }) => answer.waiters.map((waiter) => ({ ...waiter, process })));
    return {
      polls: sum(answers.map(({ answer }) => answer.polls)),
      observations: sum(answers.map(({ answer }) => answer.observations)),
      waiters: longest(waiters, question.limit),
      processes: answers.length,
      unanswered,
    };
  }

  async #answer(text: string): Promise<string | undefined> {
    if (this.#answering >= this.settings.maxQuestions) {
      this.#refused.add();
      return undefined;
    }
    this.#answering++;
    try {
      return answerText(await this.#here(readQuestion(text)));
    } finally {
      this.#answering--;
    }
  }

  /** The loop is given free again and again meanwhile, so they are of about the same time and not of one moment. */
  async #here({ tenantId, devices, limit }: WaitersQuestion): Promise<WaitersAnswer> {
    const wanted = devices && new Set<Uuid>(devices);
    let [looked, polls, observations] = [0, 0, 0];
    const waiters: Waiter[] = [];
    for (const source of [...this.#sources]) {
      // Of each door the oldest: which of those are the oldest of all is seen at the end.
      let room = limit;
      for (const here of source()) {
        if (++looked % AT_ONCE === 0) await new Promise(setImmediate);
        if (!isWanted(here, tenantId, wanted)) continue;
        if (here.protocol === 'http') polls++;
        else observations++;
        if (--room >= 0) waiters.push(here.describe());
      }
    }
    return { polls, observations, waiters: longest(waiters, limit) };
  }

  async #takeTurn(user: Pick<User, 'id' | 'customerId'>): Promise<void> {
    const demands = this.settings.rate.map((limit) => ({ what: 'waiters', limit, cost: 1 }));
    if (demands.length === 0) return;
    const owner = { scope: 'user', id: limitedAs(user) } as const;
    const taken = await this.rateCounters.take(owner, demands, this.clock.now());
    if (taken.ok) return;
    const { count, seconds } = taken.demand.limit;
    throw this.#tooMany(`Asked too often! At most ${count} in ${seconds} s`, taken.retryAfter);
  }

  #tooMany(message: string, retryAfter: Millis): TandemError {
    this.#refused.add();
    return new TandemError('TOO_MANY_REQUESTS', { message, retryAfter });
  }
}

const isWanted = (here: WaiterHere, tenantId: Uuid, wanted: ReadonlySet<Uuid> | undefined): boolean =>
  here.tenantId === tenantId && (!wanted || wanted.has(here.deviceId));

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

const longest = <T extends Waiter>(waiters: readonly T[], limit: number): T[] =>
  [...waiters].sort((a, b) => b.ageSeconds - a.ageSeconds).slice(0, limit);

/** Of two questions about different devices. */
const together = (a: FoundWaiters, b: FoundWaiters, limit: number): FoundWaiters => ({
  polls: a.polls + b.polls,
  observations: a.observations + b.observations,
  waiters: longest([...a.waiters, ...b.waiters], limit),
  processes: Math.min(a.processes, b.processes),
  unanswered: Math.max(a.unanswered, b.unanswered),
});
