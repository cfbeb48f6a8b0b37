import { type AgeEntry, AgeList } from './age-list';

/** What waits to be worked off. */
export interface Task {
  /** Set by `Turns`: whether and where it waits. */
  waiting: { readonly list: AgeList<Task>; readonly entry: AgeEntry<Task> } | undefined;
}

/**
 * Works off a few tasks in each turn of the event loop, so that everything else has its turn in between. Those that someone
 * has invested in come first: under more work than can be done, what was begun is finished.
 */
export class Turns<T extends Task> {
  readonly #begun = new AgeList<Task>();
  readonly #fresh = new AgeList<Task>();
  #scheduled = false;

  /**
   * @param perTurn tasks worked off in a turn
   * @param soon runs a function in the next turn of the event loop
   */
  constructor(
    private readonly perTurn: number,
    private readonly soon: (run: () => void) => void,
    private readonly work: (task: T) => void,
  ) {}

  get size(): number {
    return this.#begun.size + this.#fresh.size;
  }

  /** Once is enough, however often it is asked for before its turn. */
  add(task: T, priority: 'begun' | 'fresh'): void {
    if (task.waiting !== undefined) return;
    const list = priority === 'begun' ? this.#begun : this.#fresh;
    task.waiting = { list, entry: list.add(task) };
    this.#schedule();
  }

  remove(task: T): void {
    task.waiting?.list.remove(task.waiting.entry);
    task.waiting = undefined;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.soon(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    for (let done = 0; done < this.perTurn; done++) {
      // Nothing but tasks of this kind is ever added.
      const next = (this.#begun.oldest ?? this.#fresh.oldest) as T | undefined;
      if (next === undefined) return;
      this.remove(next);
      this.work(next);
    }
    if (this.size > 0) this.#schedule();
  }
}
