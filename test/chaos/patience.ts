import { setTimeout as delay } from 'node:timers/promises';

/** Longer than a gateway may take for an answer: what is not answered by then counts as not acknowledged. */
const ANSWER_LIMIT = 6_000;
const PAUSE = 50;

/** The answer, or undefined when there was none: refused, broken off, or too late. */
export async function answered<T>(request: Promise<T>): Promise<T | undefined> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      request.catch(() => undefined),
      delay(ANSWER_LIMIT, undefined, { signal: limit.signal }).catch(() => undefined),
    ]);
  } finally {
    limit.abort();
  }
}

/** Runs `step` again and again until it is told to stop; a step that says false is followed by a pause. */
export class Loop {
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(step: () => Promise<boolean>, pace = 0) {
    this.#done = (async () => {
      while (!this.#stopped) {
        if (!(await step())) await delay(PAUSE);
        else if (pace > 0) await delay(pace);
      }
    })();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** No further step begins; resolves when the one that runs has ended. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#done;
  }
}

/** Resolves with undefined when `check` says nothing any more, else with what it said last. */
export async function eventually(limit: number, check: () => Promise<string | undefined>): Promise<string | undefined> {
  const deadline = Date.now() + limit;
  for (;;) {
    const complaint = await check().catch((error: unknown) => String(error));
    if (complaint === undefined || Date.now() > deadline) return complaint;
    await delay(100);
  }
}
