import {
  type Answerer,
  Answerers,
  type Clock,
  type Logger,
  type Millis,
  type Processes,
  type Replies,
  ReplyRound,
} from '@tandem/core';
import { type Commands, loadScript } from '../client';
import { closedError } from '../client/failures';
import type { Keys } from '../keys';
import type { Subscription, Subscriptions } from './subscriptions';

const SAY = loadScript('process-say');

export interface ProcessesOptions {
  readonly keys: Keys;
  /** Names this process in messages; without a space. */
  readonly processId: string;
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One channel for the questions, which every process hears, and one for the answers to each process that asks, in the same slot.
 * Redis tells with every question how many hear it: so many answers are waited for.
 *
 *     question:  <process that asks> <number> <topic> <text>
 *     answer:    <number> <process that answers>[ <text>]
 */
export class RedisProcesses implements Processes {
  readonly id: string;
  readonly #answerers: Answerers;
  readonly #questions: Subscription;
  /** From the first question on: most processes never ask. */
  #answers: Subscription | undefined;
  readonly #rounds = new Map<string, ReplyRound>();
  #asked = 0;
  #closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly subscriptions: Subscriptions,
    private readonly options: ProcessesOptions,
  ) {
    this.id = options.processId;
    this.#answerers = new Answerers(options.logger);
    const channel = options.keys.processes('questions');
    this.#questions = subscriptions.subscribe(channel, (text) => void this.#answer(text));
  }

  answer(topic: string, answerer: Answerer): () => void {
    return this.#answerers.add(topic, answerer);
  }

  async ask(topic: string, question: string, wait: Millis): Promise<Replies> {
    if (this.#closed) throw closedError();
    this.#answers ??= this.subscriptions.subscribe(this.#channelOf(this.id), (text) => this.#hear(text));
    await Promise.all([this.#questions.pending, this.#answers.pending]);
    const number = String(++this.#asked);
    const round = new ReplyRound(this.options.clock);
    this.#rounds.set(number, round);
    try {
      const channel = this.options.keys.processes('questions');
      round.out(await this.#say(channel, `${this.id} ${number} ${topic} ${question}`), wait);
      return await round.over;
    } finally {
      this.#rounds.delete(number);
    }
  }

  /** Whoever waits for answers gets those that are there. */
  close(): void {
    this.#closed = true;
    this.#questions.leave();
    this.#answers?.leave();
    for (const round of this.#rounds.values()) round.end();
  }

  async #answer(message: string): Promise<void> {
    const [, asker, number, topic, question] = /^(\S+) (\d+) (\S+) (.*)$/s.exec(message) ?? [];
    if (asker === undefined || topic === undefined || question === undefined) return;
    const text = await this.#answerers.answerTo(topic, question);
    // Who asks does not wait for ever.
    await this.#say(this.#channelOf(asker), `${number} ${this.id}${text === undefined ? '' : ` ${text}`}`).catch(
      () => {},
    );
  }

  #hear(message: string): void {
    const [, number, process, , text] = /^(\d+) (\S+)( (.*))?$/s.exec(message) ?? [];
    if (number !== undefined && process !== undefined) this.#rounds.get(number)?.hear(process, text);
  }

  #channelOf(processId: string): string {
    return this.options.keys.processes(`answers:${processId}`);
  }

  #say(channel: string, message: string): Promise<number> {
    return this.commands.run<number>(SAY, [channel], [this.options.publish, message]);
  }
}
