import type { Relation } from './relation';

/** The event loop reads 32 datagrams per turn: writing fewer leaves room for the acknowledgements. */
export const DATAGRAMS_PER_TURN = 25;
/** Places at the head of the queue that have been used before they are given back. */
const MAX_USED = 4096;

/** Relations that have something to say, so many of them in each turn of the event loop. */
export class Turns {
  #queue: Relation[] = [];
  #head = 0;
  #pending = false;

  /**
   * @param soon runs a turn once, after the I/O that is waiting
   * @param pull whose turn it is
   */
  constructor(
    private readonly soon: (turn: () => void) => void,
    private readonly pull: (relation: Relation) => void,
  ) {}

  enqueue(relation: Relation): void {
    relation.state = 'queued';
    this.#queue.push(relation);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#pending) return;
    this.#pending = true;
    this.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#pending = false;
    for (let budget = DATAGRAMS_PER_TURN; budget > 0 && this.#head < this.#queue.length; ) {
      const relation = this.#queue[this.#head++];
      if (relation?.state !== 'queued') continue;
      budget--;
      this.pull(relation);
    }
    if (this.#head >= this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      return;
    }
    if (this.#head > MAX_USED) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    this.#schedule();
  };
}
