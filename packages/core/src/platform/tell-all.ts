import type { Logger } from './logger';

type Listener<M> = (message: M) => void;

/**
 * Tells every listener. They may leave, and take others along, while they are told; whoever comes meanwhile is not told. What
 * one of them throws is its own fault: it is logged, the others hear the message, and whoever tells goes on.
 */
export function tellAll<M>(listeners: ReadonlySet<Listener<M>>, message: M, logger: Logger): void {
  for (const listener of [...listeners]) if (listeners.has(listener)) tellOne(listener, message, logger);
}

/** As {@link tellAll}. @returns whether the listener took it */
export function tellOne<M>(listener: Listener<M>, message: M, logger: Logger): boolean {
  try {
    listener(message);
    return true;
  } catch (error) {
    logger.error('a listener failed', { error: error instanceof Error ? error.stack : String(error) });
    return false;
  }
}
