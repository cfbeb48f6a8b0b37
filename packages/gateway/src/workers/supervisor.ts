import type { Clock, Counter, Logger, Millis, Timer } from '@tandem/core';
import type { Gateway } from '../gateway';
import { aborted } from '../shutdown/stop-signal';
import { RestartPause } from './restart-pause';
import { type Filling, how, type WorkerSeat } from './worker-seat';

export interface SupervisorOptions {
  readonly seats: readonly WorkerSeat[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Workers that were started in the place of one that ended. */
  readonly restarts: Counter;
  /** A worker has opened its doors. */
  readonly onReady: (seat: WorkerSeat) => void;
}

/** Keeps every seat filled from the start to the stop. */
export class Supervisor {
  readonly #pauses = new Set<Timer>();
  #stopping = false;

  constructor(private readonly options: SupervisorOptions) {}

  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Resolves with the ports when all workers are ready.
   * @throws Error in one line, the first worker's that cannot start; the reason of `stop` when that comes first. No worker is left then.
   */
  async start(stop: AbortSignal): Promise<Gateway['ports']> {
    const fillings = this.options.seats.map((seat) => this.#fill(seat));
    try {
      const interrupted = aborted(stop).then(() => Promise.reject(stop.reason));
      const ports = await Promise.race([Promise.all(fillings.map(({ ready }) => ready)), interrupted]);
      for (const [at, seat] of this.options.seats.entries()) void this.#keepFilled(seat, fillings[at]);
      return Object.assign({}, ...ports.reverse());
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Resolves when all workers have ended, each of which does in its own time. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const pause of this.#pauses) pause.cancel();
    const { seats, logger } = this.options;
    await Promise.all(
      seats.map(async (seat) => {
        const end = await seat.empty();
        if (end && end.code !== 0 && end.problem === undefined && end.signal !== 'SIGTERM') {
          logger.error('worker did not stop in good order', { worker: seat.number, pid: end.pid, end: how(end) });
        }
      }),
    );
  }

  #fill(seat: WorkerSeat): Filling {
    const filling = seat.fill();
    filling.ready.then(
      () => this.options.onReady(seat),
      () => {},
    );
    return filling;
  }

  async #keepFilled(seat: WorkerSeat, first: Filling | undefined): Promise<void> {
    const { logger } = this.options;
    const pauses = new RestartPause();
    for (let filling = first; filling; filling = this.#fill(seat)) {
      const end = await filling.ended;
      if (this.#stopping) return;
      const pause = pauses.next(end.lived);
      logger.error('worker ended; it is started again', {
        worker: seat.number,
        pid: end.pid,
        end: how(end),
        reason: end.problem,
        pauseMillis: pause,
      });
      await this.#pause(pause);
      if (this.#stopping) return;
      this.options.restarts.add();
    }
  }

  #pause(millis: Millis): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.clock.setTimer(millis, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.add(timer);
    });
  }
}
