import { tracesOf } from '../devices/event-trace';
import type { PollEvent } from '../devices/long-poll';
import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { DeviceMessage, WrittenMessage } from '../payload/format/index';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Rpc, RpcPatch, RpcStatus, RpcStore } from '../state/rpc-store';

/** A command on its way; the transport says what became of it (contract 2.6.4). */
export interface RpcHandOut {
  readonly message: WrittenMessage;
  /** In which it was sent; undefined where nothing is traced. */
  readonly traces?: readonly string[];
  readonly expirationTime: number;
  sent(): void;
  delivered(): void;
  /** No acknowledgement in time. */
  lapsed(): void;
  /** Never arrived, and the observation is over: the next one, or a poll, gets it. */
  returned(): void;
  /** As `returned`, where the device observes anew instead of acknowledging: a try of a persistent command that was sent. */
  superseded(): void;
  /** Did not leave yet: the observation is told of it again, unless its time is over by then. */
  unsent(): void;
}

/** What an observation knows of a command it has had. */
export interface ObservationMemory {
  /** The device has it: never again. */
  arrived(): void;
  /** As if it never had it. */
  forget(): void;
}

/** A command that a waiter is about to get. */
export interface CommandInHand {
  readonly rpc: Rpc;
  /** Until then this waiter holds it; 0 = it does not, but gets the command all the same. */
  readonly heldUntil: EpochMillis;
}

export interface HandOutSettings {
  /** `ACTORS_RPC_MAX_RETRIES` */
  readonly maxRetries: number;
  /** `ACTORS_RPC_RESPONSE_TIMEOUT_MS`, where one command waits for the answer to the one before. */
  readonly responseTimeout: Millis | undefined;
  /** `COAP_TIMEOUT`: how long a notification may stay without its acknowledgement. */
  readonly ackTimeout: Millis;
}

export const commandMessage = ({ requestId: id, method, params }: Rpc): DeviceMessage => ({
  kind: 'command',
  id,
  method,
  params,
});

/** What becomes of commands that have been handed out. */
export class RpcHandOuts {
  /** Commands of a device that are on their way back: the waiter that comes next must see them in their order. */
  readonly #returning = new Map<Uuid, Promise<unknown>>();
  /** Commands that have arrived and of which the store has not heard yet. */
  #untold = 0;

  constructor(
    private readonly rpcs: RpcStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly settings: Omit<HandOutSettings, 'ackTimeout'>,
  ) {}

  get untold(): number {
    return this.#untold;
  }

  /** Resolves when the commands of the device that were on their way back here have arrived. */
  returned(deviceId: Uuid): Promise<unknown> | undefined {
    return this.#returning.get(deviceId);
  }

  toPoll(command: CommandInHand, message: WrittenMessage): PollEvent {
    const { rpc } = command;
    return {
      message,
      traces: tracesOf([rpc]),
      settled: (written) => {
        if (written) void this.#arrived(rpc);
        else if (this.#holds(command.heldUntil)) this.#letGo(rpc);
      },
    };
  }

  /**
   * @param message the command
   * @param holdTime how long it takes at most until it is acknowledged or has lapsed
   * @param observation what it has to remember of the command
   */
  toObserver(
    command: CommandInHand,
    message: WrittenMessage,
    holdTime: Millis,
    observation: ObservationMemory,
  ): RpcHandOut {
    const { rpc } = command;
    let { heldUntil } = command;
    let sent = false;
    const giveBack = () => {
      if (!rpc.oneway || (sent && this.#holds(heldUntil))) this.#return(rpc);
      else if (this.#holds(heldUntil)) this.#letGo(rpc);
    };
    return {
      message,
      traces: tracesOf([rpc]),
      expirationTime: rpc.expirationTime,
      sent: () => {
        sent = true;
        if (rpc.oneway) heldUntil = this.clock.now() + holdTime;
        void this.#advance(rpc, undelivered(rpc), 'SENT', rpc.oneway ? { heldUntil } : {});
      },
      delivered: () => {
        observation.arrived();
        void this.#arrived(rpc);
      },
      lapsed: () => this.#lapse(rpc),
      returned: giveBack,
      superseded: () => (sent && rpc.persistent ? this.#lapse(rpc) : giveBack()),
      unsent: observation.forget,
    };
  }

  /**
   * The device cannot be told, now or later: its caller is.
   * @param reason what the caller reads
   * @returns whether the store has been told; false where it is away
   */
  undeliverable(rpc: Rpc, reason: string): Promise<boolean> {
    const failure = { response: JSON.stringify({ error: reason }), responseIsJson: true };
    return this.#advance(rpc, undelivered(rpc), 'FAILED', failure);
  }

  /**
   * For one that has arrived and keeps others waiting for its answer: ends it when its time is over, and begins its time where
   * it was delivered by somebody who did not.
   * @throws TandemError STORE_UNAVAILABLE
   */
  async awaitsAnswer(rpc: Rpc): Promise<'waiting' | 'changed'> {
    const now = this.clock.now();
    const { responseTimeout = 0 } = this.settings;
    if (rpc.heldUntil > now) return 'waiting';
    const unanswered: RpcPatch = rpc.persistent
      ? {
          status: 'FAILED',
          response: JSON.stringify({ error: unansweredWithin(responseTimeout) }),
          responseIsJson: true,
        }
      : { status: 'TIMEOUT' };
    const patch = rpc.heldUntil > 0 ? unanswered : ({ status: 'DELIVERED', heldUntil: now + responseTimeout } as const);
    await this.rpcs.transition(rpc.id, ['DELIVERED'], { ...patch, at: now });
    return 'changed';
  }

  /** Whether nobody else can have it in hand meanwhile. */
  #holds(heldUntil: EpochMillis): boolean {
    return this.clock.now() < heldUntil;
  }

  /** Nothing changed but that it can be had again: written as it is, it wakes those it was kept from. */
  #letGo(rpc: Rpc): void {
    void this.#advance(rpc, [rpc.status], rpc.status);
  }

  /**
   * The device has it. An observer does not get it twice, so nobody but this process knows: a store that is away is told when
   * it is back.
   */
  async #arrived(rpc: Rpc): Promise<void> {
    const { responseTimeout } = this.settings;
    const answer = rpc.oneway || !responseTimeout ? {} : { heldUntil: this.clock.now() + responseTimeout };
    for (let attempt = 1; !(await this.#advance(rpc, undelivered(rpc), 'DELIVERED', answer)); attempt++) {
      if (attempt >= ARRIVAL_ATTEMPTS || this.#untold >= MAX_UNTOLD || this.clock.now() >= rpc.expirationTime) return;
      this.#untold++;
      await new Promise<void>((resolve) => this.clock.setTimer(ARRIVAL_PAUSE, resolve));
      this.#untold--;
    }
  }

  /** No acknowledgement: a persistent command is tried again until its retries are used up (server contract 6.3). */
  #lapse(rpc: Rpc): void {
    const { maxRetries } = this.settings;
    const retries = Math.min(rpc.retries ?? maxRetries, maxRetries);
    const isLast = rpc.persistent && rpc.attempts >= retries;
    const failure = { response: JSON.stringify({ error: `${EXHAUSTED} ${retries}` }), responseIsJson: true };
    this.#awaited(
      rpc,
      isLast
        ? this.#advance(rpc, undelivered(rpc), 'FAILED', failure)
        : this.#advance(rpc, undelivered(rpc), 'TIMEOUT', { attempts: rpc.attempts + 1 }),
    );
  }

  #return(rpc: Rpc): void {
    this.#awaited(rpc, this.#advance(rpc, ['QUEUED', 'SENT'], 'QUEUED'));
  }

  /** Before it is written nobody here reads the commands of the device. */
  #awaited({ deviceId }: Rpc, written: Promise<unknown>): void {
    const write = Promise.all([this.#returning.get(deviceId), written]).then(() => {
      if (this.#returning.get(deviceId) === write) this.#returning.delete(deviceId);
    });
    this.#returning.set(deviceId, write);
  }

  /** @returns whether the store has been told; false where it is away */
  async #advance(
    rpc: Rpc,
    from: readonly RpcStatus[],
    status: RpcStatus,
    more: Omit<RpcPatch, 'status'> = {},
  ): Promise<boolean> {
    try {
      const at = this.clock.now();
      await this.rpcs.transition(rpc.id, from, { ...more, status, at, openUntil: at + REMEMBERED });
      return true;
    } catch (error) {
      this.logger.error('RPC state not written', { rpcId: rpc.id, status, error: String(error) });
      return TandemError.from(error).code !== 'STORE_UNAVAILABLE';
    }
  }
}

/** How often, and how many at the same time, the store is told again that a command has arrived. */
const ARRIVAL_PAUSE: Millis = 1_000;
const ARRIVAL_ATTEMPTS = 120;
const MAX_UNTOLD = 10_000;

/** How long a command that has arrived is kept for waiters that were there before it: twice what a poll lasts at most. */
const REMEMBERED: Millis = 600_000;

/** Followed by the number of retries (server contract 6.3). */
const EXHAUSTED = 'There was a Timeout and all retry attempts have been exhausted. Retry attempts set:';

const unansweredWithin = (time: Millis): string => `The device did not answer within ${time} ms`;

/** States from which it can still be delivered: the caller of one that is not persistent has been told of the time-out. */
const undelivered = (rpc: Rpc): readonly RpcStatus[] =>
  rpc.persistent ? ['QUEUED', 'SENT', 'TIMEOUT'] : ['QUEUED', 'SENT'];
