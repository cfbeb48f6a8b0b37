import {
  type Answerer,
  Answerers,
  type Clock,
  type Logger,
  type Millis,
  type Processes,
  type Replies,
  ReplyRound,
  TandemError,
} from '@tandem/core';

/** The folder has one owner, which asks itself. */
export class OneProcess implements Processes {
  readonly #answerers: Answerers;
  #closed = false;

  constructor(
    readonly id: string,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.#answerers = new Answerers(logger);
  }

  answer(topic: string, answerer: Answerer): () => void {
    return this.#answerers.add(topic, answerer);
  }

  async ask(topic: string, question: string, wait: Millis): Promise<Replies> {
    if (this.#closed) throw new TandemError('STORE_UNAVAILABLE');
    const round = new ReplyRound(this.clock);
    round.out(1, wait);
    void this.#answerers.answerTo(topic, question).then((text) => round.hear(this.id, text));
    return round.over;
  }

  close(): void {
    this.#closed = true;
  }
}
