import type { Clock, Millis, Timer } from '../platform/clock';
import type { Replies, Reply } from './processes';

/** One question that is under way: for those who make {@link Processes}. */
export class ReplyRound {
  readonly #replies: Reply[] = [];
  /** Who has said something, or that it says nothing. */
  readonly #heard = new Set<string>();
  #reached: number | undefined;
  #timer: Timer | undefined;
  #resolve: (replies: Replies) => void = () => {};
  readonly over: Promise<Replies>;

  constructor(private readonly clock: Clock) {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The question is out. Answers may have come before this is known. @param reached so many processes hear it */
  out(reached: number, wait: Millis): void {
    this.#reached = reached;
    this.#timer = this.clock.setTimer(wait, () => this.end());
    this.#look();
  }

  /** @param text undefined: it says nothing */
  hear(process: string, text: string | undefined): void {
    if (this.#heard.has(process)) return;
    this.#heard.add(process);
    if (text !== undefined) this.#replies.push({ process, text });
    this.#look();
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#timer?.cancel();
    this.#resolve({ replies: this.#replies, reached: Math.max(this.#reached ?? 0, this.#heard.size) });
  }

  #look(): void {
    if (this.#reached !== undefined && this.#heard.size >= this.#reached) this.end();
  }
}
