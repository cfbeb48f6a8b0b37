import type { Clock, Millis, Random } from '@tandem/core';
import { type Answer, type DeviceLink, explain, NoAnswer, Refused, verdictOf, type Watched } from './device-link';
import { FirmwareUpdates } from './firmware-updates';
import type { Journal } from './journal';
import { pause } from './pause';
import type { Template } from './telemetry-template';

export interface Plan {
  readonly telemetry: Template;
  readonly interval: Millis;
  /** Then the device stops; undefined: never. */
  readonly messages: number | undefined;
  readonly listen: boolean;
  /** JSON; undefined: method and parameters of the command. */
  readonly answer: string | undefined;
  readonly firmware: boolean;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
}

/** Between two attempts: doubled each time, up to the longest. */
const FIRST_WAIT: Millis = 500;
const LONGEST_WAIT: Millis = 30_000;
/** Commands whose answers are remembered, because they may come again. */
const REMEMBERED = 1_000;

/** Sends telemetry, hears of attributes, answers commands: until it is told to stop, has sent enough, or is refused for good. */
export class SimulatedDevice {
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #answered = new Map<number, string>();
  #complaint = { reason: '', at: 0 };
  readonly #firmware: FirmwareUpdates | undefined;

  /** @param number from 1 on */
  constructor(
    private readonly name: string,
    private readonly number: number,
    private readonly link: DeviceLink,
    private readonly plan: Plan,
    private readonly around: Surroundings,
    stop: AbortSignal,
  ) {
    this.#signal = AbortSignal.any([stop, this.#stop.signal]);
    if (plan.firmware) {
      this.#firmware = new FirmwareUpdates(name, link, around.journal, (body) => this.#deliver('telemetry', [], body));
    }
  }

  /** @param delay before the first message: a fleet does not send all at once */
  async run(delay: Millis): Promise<void> {
    const listening = this.plan.listen ? [this.#listen('attributes'), this.#listen('rpc')] : [];
    await pause(this.around.clock, delay, this.#signal);
    await this.#send();
    if (this.plan.messages === undefined || this.plan.messages > 0) this.#stop.abort();
    await Promise.all(listening);
    this.link.close();
  }

  async #send(): Promise<void> {
    const { telemetry, interval, messages = Number.POSITIVE_INFINITY } = this.plan;
    const { clock } = this.around;
    for (let count = 0; count < messages && !this.#signal.aborted; count++) {
      const began = clock.monotonic();
      const body = telemetry({ count, device: this.number, now: clock.now() });
      if (await this.#deliver('telemetry', [], body)) this.around.journal.counts.sent += 1;
      if (count + 1 < messages) await pause(clock, began + interval - clock.monotonic(), this.#signal);
    }
  }

  async #listen(what: Watched): Promise<void> {
    let attempt = 0;
    while (!this.#signal.aborted) {
      try {
        await this.link.watch(
          what,
          (body) => {
            attempt = 0;
            return what === 'rpc' ? this.#command(body) : this.#attributes(body);
          },
          this.#signal,
        );
      } catch (error) {
        if (this.#signal.aborted) return;
        if (!(await this.#again(error, attempt++))) return;
      }
    }
  }

  #attributes(body: string): void {
    if (body === '{}') return;
    this.around.journal.counts.updates += 1;
    this.around.journal.received(this.name, 'attributes', body);
    void this.#firmware?.heard(body);
  }

  async #command(body: string): Promise<void> {
    const { journal } = this.around;
    let command: { id: number; method: string; params: unknown };
    try {
      command = JSON.parse(body) as typeof command;
    } catch {
      journal.trouble(this.name, `a command that is no JSON: ${body}`);
      return;
    }
    const { id, method, params } = command;
    const before = this.#answered.get(id);
    // Nothing is done twice: one that comes again gets the same answer.
    const answer = before ?? this.plan.answer ?? JSON.stringify({ method, params });
    if (before === undefined) {
      journal.counts.commands += 1;
      journal.received(this.name, 'command', body);
      this.#answered.set(id, answer);
      const [oldest] = this.#answered.keys();
      if (this.#answered.size > REMEMBERED && oldest !== undefined) this.#answered.delete(oldest);
    }
    await this.#deliver('answer', [String(id)], answer);
  }

  /** Until it is taken, refused for good, or there is no time left. @returns whether it was taken */
  async #deliver(what: 'telemetry' | 'answer', more: readonly string[], body: string): Promise<boolean> {
    const path = what === 'answer' ? ['rpc', ...more] : ['telemetry'];
    for (let attempt = 0; ; attempt++) {
      try {
        const answer: Answer = await this.link.post(path, body);
        if (verdictOf(answer) === 'done') {
          this.around.journal.sent(this.name, what, what === 'answer' ? `${more[0]} ${body}` : body, answer.code);
          return true;
        }
        throw new Refused(answer);
      } catch (error) {
        if (!(await this.#again(error, attempt)) || this.#signal.aborted) return false;
      }
    }
  }

  /** Waits as long as it is asked to. @returns false when it makes no sense: the device is stopped */
  async #again(error: unknown, attempt: number): Promise<boolean> {
    const { clock, random, journal } = this.around;
    if (!(error instanceof NoAnswer || error instanceof Refused)) throw error;
    const answer = error instanceof Refused ? error.answer : undefined;
    if (answer && verdictOf(answer) === 'never') {
      if (!this.#signal.aborted) {
        journal.counts.refused += 1;
        journal.trouble(this.name, `refused: ${explain(answer)}`);
      }
      this.#stop.abort();
      return false;
    }
    const own = Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT) * (0.75 + random.fraction() / 2);
    // Two that play one device would take the observation from each other without an end.
    const wait = Math.max(answer?.code === '2.02' ? LONGEST_WAIT : own, answer?.retryAfter ?? 0);
    this.#complain(`${error.message}; again in ${(wait / 1_000).toFixed(1)} s`, error.message);
    await pause(clock, wait, this.#signal);
    return true;
  }

  /** What three waits meet at the same moment is one line. */
  #complain(words: string, reason: string): void {
    const now = this.around.clock.monotonic();
    if (this.#complaint.reason === reason && now - this.#complaint.at < FIRST_WAIT / 2) return;
    this.#complaint = { reason, at: now };
    this.around.journal.trouble(this.name, words);
  }
}
