import type { EpochMillis } from '../platform/clock';
import type { Rpc } from '../state/rpc-store';

export const SUBMIT_STRATEGIES = [
  'BURST',
  'SEQUENTIAL_ON_ACK_FROM_DEVICE',
  'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE',
] as const;

/**
 * When a command may go to its device (server contract 6.2): as it comes; when the one before has arrived; when the one
 * before has been answered.
 */
export type SubmitStrategy = (typeof SUBMIT_STRATEGIES)[number];

/** Whose turn it is. */
export interface Turn {
  /** What may be handed out, in the order in which it is. */
  readonly commands: readonly Rpc[];
  /** The one that the others wait for. */
  readonly head: Rpc | undefined;
}

/**
 * @param open the open commands of a device, in the order of their request ids
 * @param since the request id the next command had when the waiter came
 */
export function turnOf(open: readonly Rpc[], strategy: SubmitStrategy, since: number): Turn {
  if (strategy === 'BURST') return { commands: open, head: undefined };
  const head = open.findIndex((rpc) => holdsUp(rpc, strategy));
  const reached = head === -1 ? open : open.slice(0, head + 1);
  // What was there before the waiter and has arrived is told again, but it keeps nothing else waiting.
  const isRepeat = (rpc: Rpc, index: number) => rpc.status === 'DELIVERED' && index !== head && rpc.requestId < since;
  return {
    commands: [...reached.filter((rpc, index) => !isRepeat(rpc, index)), ...reached.filter(isRepeat)],
    head: open[head],
  };
}

/** Whether what comes after it has to wait. */
function holdsUp({ status, oneway, persistent }: Rpc, strategy: SubmitStrategy): boolean {
  switch (status) {
    case 'QUEUED':
    case 'SENT':
      return true;
    case 'TIMEOUT':
      return persistent;
    case 'DELIVERED':
      return strategy === 'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE' && !oneway;
    default:
      return false;
  }
}

/** When the others have waited long enough for it: nobody tells of that. */
export const endOfTurn = ({ status, expirationTime, heldUntil }: Rpc): EpochMillis =>
  status === 'DELIVERED' ? Math.min(heldUntil, expirationTime) : expirationTime;
