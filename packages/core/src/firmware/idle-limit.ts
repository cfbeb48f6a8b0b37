import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';

/**
 * The same bytes, for as long as they keep coming.
 * @throws TandemError BAD_REQUEST when none come for `limit`; and what `bytes` throws
 */
export async function* withIdleLimit(
  bytes: AsyncIterable<Uint8Array>,
  limit: Millis,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const source = bytes[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await nextWithin(source, limit, clock);
      ended = done === true;
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: where nothing comes it would not end either.
    if (!ended) source.return?.().catch(() => {});
  }
}

async function nextWithin<T>(source: AsyncIterator<T>, limit: Millis, clock: Clock): Promise<IteratorResult<T>> {
  let giveUp = () => {};
  const idle = new Promise<never>((_, reject) => {
    giveUp = () =>
      reject(new TandemError('BAD_REQUEST', { message: `Nothing of the file has come for ${limit / 1_000} seconds` }));
  });
  const timer = clock.setTimer(limit, giveUp);
  const next = source.next();
  // Fails later, when nobody looks any more.
  next.catch(() => {});
  try {
    return await Promise.race([next, idle]);
  } finally {
    timer.cancel();
  }
}
