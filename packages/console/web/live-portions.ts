import type { Live, LiveData, Subscription } from './live.js';
import { read, repeat, wordsFor } from './server.js';

export interface PortionListener {
  data(data: LiveData): void;
  /** The value of this key alone is longer than the gateway sends at once; until `data` has it again. */
  tooLong(key: string): void;
  refused(words: string): void;
}

/** How the gateway begins when all that was asked for does not fit one message. */
const TOO_LONG = /^The answer is too long/;
/** New keys are looked for, and long values tried again. */
const PAUSE = 5000;
/** Keys beyond these that are too long are not told. */
const TOO_LONG_MAX = 50;

/**
 * All values of a device, as `Live.subscribe`; where they do not fit one message each half of the keys by itself, down to
 * single ones: a device with one huge value does not hide its others.
 * @param keysPath where their names can be read
 */
export function subscribeInPortions(
  live: Live,
  subscription: Subscription,
  keysPath: string,
  listener: PortionListener,
  signal: AbortSignal,
): void {
  const known = new Set<string>();
  const long = new Set<string>();
  let inPortions = false;

  const some = (keys: readonly string[]) => {
    for (const key of keys) known.add(key);
    live.subscribe(
      { ...subscription, keys: keys.join(',') },
      {
        data(data) {
          for (const key of Object.keys(data)) long.delete(key);
          listener.data(data);
        },
        refused(words) {
          if (!TOO_LONG.test(words)) return listener.refused(words);
          const [first] = keys;
          const half = Math.ceil(keys.length / 2);
          if (keys.length > 1) {
            some(keys.slice(0, half));
            some(keys.slice(half));
          } else if (first !== undefined && long.size < TOO_LONG_MAX) {
            long.add(first);
            listener.tooLong(first);
          }
        },
      },
      signal,
    );
  };

  const look = async () => {
    try {
      const keys = await read<string[]>(keysPath, signal);
      if (signal.aborted) return;
      for (const key of long) some([key]);
      // A name with a comma is two names in a subscription.
      const fresh = keys.filter((key) => !known.has(key) && !key.includes(','));
      if (fresh.length > 0) some(fresh);
    } catch (error) {
      if (!signal.aborted) listener.refused(wordsFor(error));
    }
  };

  live.subscribe(
    subscription,
    {
      data: listener.data,
      refused(words) {
        if (!TOO_LONG.test(words)) return listener.refused(words);
        if (inPortions) return;
        inPortions = true;
        repeat(signal, PAUSE, look);
      },
    },
    signal,
  );
}
