import { type Core, quietLogger, type Timer } from '@tandem/core';

const INTERVAL = 1_000;
const BATCH = 1_000;
/** A round goes on only with a store in which most of it can be cleared away. */
const ENOUGH = BATCH / 2;
const SAID_EVERY = 10_000;

/** Clears lapsed commands away, once a second, for as long as the process lives. */
export function startRpcSweeper({ rpcCalls, clock, logger }: Core): () => void {
  let stopped = false;
  let timer: Timer;
  const quiet = quietLogger(logger, clock, SAID_EVERY);
  const sweep = async () => {
    try {
      while ((await rpcCalls.sweep(BATCH)) >= ENOUGH && !stopped);
    } catch (error) {
      if (!stopped) quiet.error('lapsed RPCs not swept', { error: String(error) });
    }
    if (!stopped) timer = clock.setTimer(INTERVAL, sweep);
  };
  timer = clock.setTimer(INTERVAL, sweep);
  return () => {
    stopped = true;
    timer.cancel();
  };
}

/** The first look after a start, which may never see the end of a longer interval. */
const FIRST_LOOK = 60_000;

/** Removes finished persistent commands that are too old, now and again, for as long as the process lives. */
export function startFinishedRpcSweeper({ finishedRpcs, clock, logger, settings }: Core): () => void {
  let stopped = false;
  let timer: Timer;
  const interval = settings.SQL_RPC_TTL_CHECKING_INTERVAL;
  const trim = async () => {
    try {
      await finishedRpcs.trim(() => stopped);
    } catch (error) {
      if (!stopped) logger.error('outdated RPCs not removed', { error: String(error) });
    }
    if (!stopped) timer = clock.setTimer(interval, trim);
  };
  timer = clock.setTimer(Math.min(FIRST_LOOK, interval), trim);
  return () => {
    stopped = true;
    timer.cancel();
  };
}
