import type { Millis } from '../platform/clock';

/** What one process said. */
export interface Reply {
  /** The `id` of the process. */
  readonly process: string;
  readonly text: string;
}

export interface Replies {
  /** In no particular order. */
  readonly replies: readonly Reply[];
  /** Processes that the question has reached: more than there are replies where some said nothing, or not in time. */
  readonly reached: number;
}

/** @returns undefined: says nothing to it, for which nobody waits */
export type Answerer = (question: string) => Promise<string | undefined>;

/** The processes that share the store, this one included. Nothing of it is kept anywhere. */
export interface Processes {
  /** Names this process among them, shortly. */
  readonly id: string;
  /**
   * Answers the questions of all processes on a topic, in the place of whoever has done so in this process. An answerer that throws has
   * said nothing: it is logged. What is said should be short: it is held in memory as often as there are processes.
   * @param topic a short word
   * @returns answers no more
   */
  answer(topic: string, answerer: Answerer): () => void;
  /**
   * Asks all of them. Resolves as soon as all that the question has reached have answered, and at the latest when the time is
   * over, with the answers that are there then.
   * @param wait begins when the question is out
   * @throws TandemError STORE_UNAVAILABLE
   */
  ask(topic: string, question: string, wait: Millis): Promise<Replies>;
}
