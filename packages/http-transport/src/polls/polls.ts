import { type Core, type DeviceSession, type Millis, type PollOutcome, TandemError } from '@tandem/core';
import type { RequestFormats } from '../formats/request-formats';
import type { Exchange } from '../requests/exchange';
import type { Operation } from '../routes';
import type { HeldRequest } from './held-request';
import type { HeldRequests } from './held-requests';
import { deliver } from './poll-delivery';

interface Poll {
  readonly exchange: Exchange;
  readonly operation: Operation;
  /** Below 0 is "at once". */
  readonly timeout: Millis;
}

/** Long polls for commands and for updates of attributes (contract 1.5). */
export class Polls {
  constructor(
    private readonly core: Pick<Core, 'attributeUpdates' | 'limits' | 'rpcDelivery'>,
    private readonly held: HeldRequests,
    private readonly formats: RequestFormats,
    private readonly fail: (exchange: Exchange, operation: Operation, error: unknown) => void,
  ) {}

  /** @throws TandemError when it cannot be opened */
  open({ exchange, operation, timeout }: Poll, session: DeviceSession): void {
    if (timeout < 0) {
      this.#expireAtOnce(exchange, operation, session);
      return;
    }
    const { rpcDelivery, attributeUpdates } = this.core;
    const [source, kind] =
      operation.name === 'rpc_poll' ? ([rpcDelivery, 'command'] as const) : ([attributeUpdates, 'update'] as const);
    const held = this.held.poll(exchange, session, kind === 'command' ? 'rpc' : 'attributes');
    try {
      const answers = this.formats.ofPoll(exchange.framing, session, kind);
      const done = (outcome: PollOutcome) => this.#answer(held, operation, outcome);
      held.waitFor(source.openPoll(session, timeout, done, answers));
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** A poll of a negative time-out: it counts as any other, and takes nothing. */
  #expireAtOnce(exchange: Exchange, operation: Operation, session: DeviceSession): void {
    const limited = this.core.limits.take(session, 'message');
    if (!limited) throw new TandemError('POLL_EXPIRED');
    exchange.waits();
    limited.then(
      () => exchange.fail(new TandemError('POLL_EXPIRED')),
      (error) => this.fail(exchange, operation, error),
    );
  }

  #answer(held: HeldRequest, operation: Operation, outcome: PollOutcome): void {
    const { exchange } = held;
    const listening = held.release();
    if (outcome.kind === 'event') {
      if (listening) deliver(outcome.event, exchange);
      else outcome.event.settled(false);
      return;
    }
    if (!listening) return;
    if (outcome.kind === 'expired') exchange.fail(new TandemError('POLL_EXPIRED'));
    else if (outcome.kind === 'deleted') exchange.fail(new TandemError('DEVICE_DELETED'));
    else this.fail(exchange, operation, outcome.error);
  }
}
