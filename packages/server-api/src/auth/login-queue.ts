import { TandemError } from '@tandem/core';

export interface LoginQueueLimits {
  /** Password checks at the same time. Each takes a thread and some 50 ms. */
  readonly concurrent: number;
  /** Logins that may wait for their turn. */
  readonly waiting: number;
}

/** Keeps strangers from burning the CPU with logins: few password checks at a time, few in the queue, the rest 429. */
export class LoginQueue {
  #running = 0;
  readonly #queue: Array<() => void> = [];

  constructor(private readonly limits: LoginQueueLimits) {}

  /**
   * @param caller aborted when nobody waits for the result any more: the work is then not begun
   * @throws TandemError TOO_MANY_REQUESTS, or the caller's reason
   */
  async run<T>(work: () => Promise<T>, caller: AbortSignal): Promise<T> {
    if (this.#running >= this.limits.concurrent) await this.#turn(caller);
    else this.#running++;
    try {
      caller.throwIfAborted();
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }

  /** Resolves with the place of a check that has ended. */
  #turn(caller: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.limits.waiting) {
      return Promise.reject(new TandemError('TOO_MANY_REQUESTS', { message: 'Too many logins', retryAfter: 1000 }));
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        caller.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(start), 1);
        reject(caller.reason);
      };
      this.#queue.push(start);
      caller.addEventListener('abort', leave, { once: true });
    });
  }
}
