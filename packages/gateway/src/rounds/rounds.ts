import { type Core, type Millis, quietLogger, type Timer } from '@tandem/core';

export interface RoundsOptions {
  /** From the end of a round to the next one. */
  readonly interval: Millis;
  /** From the start to the first round; `interval` where left out. */
  readonly first?: Millis;
  /** What is said when a round fails. */
  readonly failure: string;
  /** A failure that goes on is said again no sooner than this. */
  readonly saidEvery?: Millis;
}

/**
 * Does the work of one round again and again, whatever it runs into.
 * @param round told whether it is to come to an end
 * @returns stops; resolves when the round that was under way is over, and of that nothing is said any more
 */
export function startRounds(
  round: (stopped: () => boolean) => Promise<unknown>,
  { interval, first = interval, failure, saidEvery = 10_000 }: RoundsOptions,
  { clock, logger }: Pick<Core, 'clock' | 'logger'>,
): () => Promise<void> {
  let stopped = false;
  let timer: Timer;
  let running: Promise<void> = Promise.resolve();
  const quiet = quietLogger(logger, clock, saidEvery);
  const work = async () => {
    try {
      await round(() => stopped);
    } catch (error) {
      if (!stopped) quiet.error(failure, { error: String(error) });
    }
    if (!stopped) schedule(interval);
  };
  const schedule = (delay: Millis) => {
    timer = clock.setTimer(delay, () => {
      running = work();
    });
  };
  schedule(first);
  return () => {
    stopped = true;
    timer.cancel();
    return running;
  };
}
