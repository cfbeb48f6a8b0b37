import type { DeviceSession } from '../auth/device-session';
import { answer, send } from '../devices/event-trace';
import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import type { PayloadFormat } from '../payload/index';
import type { MessageSize } from '../payload/message-size';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import { quietLogger } from '../platform/quiet-logger';
import type { Random } from '../platform/random';
import type { DeviceEvents } from '../state/device-events';
import { OPEN_RPC_STATES, type Rpc, type RpcStore } from '../state/rpc-store';
import { CommandWatch } from './command-watch';

/** Server contract 6.1. */
export interface RpcCall {
  readonly tenantId: Uuid;
  readonly deviceId: Uuid;
  readonly oneway: boolean;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
  /** Raised to the shortest life where it is below, as a negative one is. */
  readonly timeout?: Millis;
  readonly expirationTime?: EpochMillis;
  readonly persistent?: boolean;
  readonly retries?: number | null;
  readonly additionalInfo?: string | null;
  /** Becomes the RPC's id. */
  readonly requestUuid?: Uuid;
}

export type RpcOutcome =
  | { readonly kind: 'persisted'; readonly rpcId: Uuid }
  /** One-way, and a device has it. */
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'answered'; readonly response: string; readonly isJson: boolean }
  /** Handed out, but not acknowledged or not answered in time. */
  | { readonly kind: 'timeout' }
  /** It could not be told to the device. `response` is `{"error":"..."}`. */
  | { readonly kind: 'failed'; readonly response: string }
  /** Nobody ever asked for it. */
  | { readonly kind: 'no-connection' }
  /** The caller went away, or the RPC was deleted, be it alone or with its device. */
  | { readonly kind: 'gone' };

export interface RpcCallSettings {
  readonly defaultTimeout: Millis;
  readonly minTimeout: Millis;
}

/** Commands from the server's side: sending, waiting for what becomes of them, and the device's replies. */
export class RpcCalls {
  readonly #watch: CommandWatch;
  /** For what goes wrong with every command of a round. */
  readonly #quiet: Logger;
  /** How many of the lapsed commands the next round takes last: it came no further than to them. */
  #last = 0;

  constructor(
    private readonly rpcs: RpcStore,
    events: DeviceEvents,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly settings: RpcCallSettings,
    logger: Logger,
    private readonly limits: MessageLimits,
    private readonly json: PayloadFormat,
    private readonly size: MessageSize,
  ) {
    this.#watch = new CommandWatch(rpcs, events, clock);
    this.#quiet = quietLogger(logger, clock, SAID_EVERY);
  }

  /**
   * Sends and, unless persistent, waits: an offline device is not refused at once (server contract 6.2).
   * @param caller aborted when nobody waits any more
   * @throws TandemError PAYLOAD_TOO_LARGE; BAD_REQUEST when the requestUuid is taken; TOO_MANY_REQUESTS when there are too many open commands, or
   * the device went away this moment
   */
  async send(call: RpcCall, caller?: AbortSignal): Promise<RpcOutcome> {
    this.size.check(call.params);
    const now = this.clock.now();
    const timeout = Math.max(call.timeout ?? this.settings.defaultTimeout, this.settings.minTimeout);
    const rpc = await send('rpc', call.deviceId, (trace) =>
      this.rpcs.create({
        id: call.requestUuid ?? this.random.uuid(),
        tenantId: call.tenantId,
        deviceId: call.deviceId,
        createdTime: now,
        expirationTime: call.expirationTime ?? now + timeout,
        oneway: call.oneway,
        persistent: call.persistent ?? false,
        method: call.method,
        params: call.params,
        retries: call.retries ?? null,
        additionalInfo: call.additionalInfo ?? null,
        ...(trace !== undefined && { trace }),
      }),
    );
    if (!rpc) throw await this.#refusal(call);
    if (rpc.persistent) {
      if (rpc.expirationTime <= now) await this.#expire(rpc);
      return { kind: 'persisted', rpcId: rpc.id };
    }
    return this.#await(rpc, caller);
  }

  /**
   * The device's reply. Unknown, stale and second replies are accepted and change nothing (contract 1.3, 3.8).
   * @param shape CoAP takes an object only (contract 2.5.3)
   * @param format JSON where left out
   * @throws TandemError BAD_PAYLOAD, PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS
   */
  async reply(
    session: DeviceSession,
    requestId: number,
    payload: Buffer,
    shape: 'any' | 'object',
    format: PayloadFormat = this.json,
  ): Promise<void> {
    const { text, isJson } = format.readReply(payload, shape);
    this.size.check(text);
    await this.limits.take(session, 'message');
    const rpc = await this.rpcs.findByRequestId(session.deviceId, requestId);
    const at = this.clock.now();
    if (!rpc || rpc.oneway || rpc.expirationTime <= at) return;
    await answer(session.deviceId, rpc.trace, () =>
      this.rpcs.transition(rpc.id, OPEN_RPC_STATES, {
        status: 'SUCCESSFUL',
        response: text,
        responseIsJson: isJson,
        at,
      }),
    );
  }

  async #refusal({ requestUuid }: RpcCall): Promise<TandemError> {
    const isTaken = requestUuid !== undefined && (await this.rpcs.get(requestUuid)) !== undefined;
    return isTaken
      ? new TandemError('BAD_REQUEST', { message: 'A request with this requestUUID exists' })
      : new TandemError('TOO_MANY_REQUESTS', { message: 'Too many open RPC requests for this device!' });
  }

  get(id: Uuid): Promise<Rpc | undefined> {
    return this.rpcs.get(id);
  }

  #await(rpc: Rpc, caller?: AbortSignal): Promise<RpcOutcome> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const settle = (outcome: RpcOutcome | Error) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        unwatch();
        caller?.removeEventListener('abort', onAbort);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const look = (current: Rpc | undefined, expired: boolean) => {
        const outcome = current ? outcomeOf(current, expired) : ({ kind: 'gone' } as const);
        if (outcome) settle(outcome);
      };
      const lookForTheLastTime = () => {
        this.rpcs.get(rpc.id).then(
          (current) => look(current, true),
          (error) => settle(TandemError.from(error)),
        );
      };
      const onAbort = () => settle({ kind: 'gone' });
      const unwatch = this.#watch.watch(rpc, (current) => look(current, false));
      const timer = this.clock.setTimer(rpc.expirationTime - this.clock.now() + GRACE, lookForTheLastTime);
      caller?.addEventListener('abort', onAbort);
      if (caller?.aborted) onAbort();
    });
  }

  /**
   * Takes lapsed commands out of the way: persistent ones become EXPIRED, the others are removed. To be called
   * regularly. Comes to an end where the store is not available; the next time it begins behind the command it came to.
   * @param limit how many at the most
   * @returns how many were taken out of the way
   */
  async sweep(limit: number): Promise<number> {
    const lapsed = await this.rpcs.expired(this.clock.now() - GRACE * 2, limit);
    const last = Math.min(this.#last, lapsed.length);
    this.#last = 0;
    let cleared = 0;
    for (const [index, rpc] of [...lapsed.slice(last), ...lapsed.slice(0, last)].entries()) {
      try {
        if (await this.#clearAway(rpc)) cleared++;
      } catch (error) {
        this.#quiet.error('lapsed RPC not removed', { rpcId: rpc.id, error: String(error) });
        if (TandemError.from(error).code !== 'STORE_UNAVAILABLE') continue;
        this.#last = (last + index + 1 - cleared) % (lapsed.length - cleared);
        break;
      }
    }
    return cleared;
  }

  async #expire({ id }: Rpc): Promise<boolean> {
    const expired = await this.rpcs.transition(id, OPEN_RPC_STATES, { status: 'EXPIRED', at: this.clock.now() });
    return expired !== undefined;
  }

  /** @returns whether it was there and in the way */
  async #clearAway(rpc: Rpc): Promise<boolean> {
    if (!rpc.persistent) return this.rpcs.remove(rpc.id);
    return this.#expire(rpc);
  }
}

/** How much longer than the command lives its caller waits, so that an answer in the last moment still counts. */
const GRACE: Millis = 1000;
/** How often the same failure is told of. */
const SAID_EVERY: Millis = 10_000;

function outcomeOf(rpc: Rpc, expired: boolean): RpcOutcome | undefined {
  switch (rpc.status) {
    case 'SUCCESSFUL':
      return { kind: 'answered', response: rpc.response ?? '', isJson: rpc.responseIsJson };
    case 'FAILED':
      return { kind: 'failed', response: rpc.response ?? '' };
    case 'TIMEOUT':
      return { kind: 'timeout' };
    case 'DELIVERED':
      if (rpc.oneway) return { kind: 'handed-over' };
      return expired ? { kind: 'timeout' } : undefined;
    case 'SENT':
      return expired ? { kind: 'timeout' } : undefined;
    default:
      return expired ? { kind: 'no-connection' } : undefined;
  }
}
