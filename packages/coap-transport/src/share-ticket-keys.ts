import type { Core, Millis, Timer } from '@tandem/core';
import type { TicketKeys } from './dtls/ticket-keys';

/** How long to wait for a store that did not answer before it is asked again. */
const RETRY: Millis = 5_000;

/**
 * Makes the keys follow from a secret of the store, so that a session is resumed on any process of that store, and after a
 * restart. As long as it cannot be read every handshake is a full one.
 */
export async function shareTicketKeys(
  { state, clock, logger }: Pick<Core, 'state' | 'clock' | 'logger'>,
  keys: Pick<TicketKeys, 'use'>,
): Promise<{ stop(): void }> {
  let stopped = false;
  let retry: Timer | undefined;
  const again = () => {
    retry?.cancel();
    retry = clock.setTimer(RETRY, () => void read());
  };
  const read = async () => {
    retry?.cancel();
    try {
      const secret = await state.secret('dtls');
      if (!stopped) keys.use(secret);
    } catch (error) {
      if (stopped) return;
      logger.warn('DTLS sessions cannot be resumed until the store answers', { error: (error as Error).message });
      again();
    }
  };
  // A store that lost everything has another secret from then on.
  const forget = state.onReset(() => void read());
  await read();
  return {
    stop() {
      stopped = true;
      retry?.cancel();
      forget();
    },
  };
}
