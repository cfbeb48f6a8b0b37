import type { DeviceAuth, SessionEnd } from '../auth/device-auth';
import type { DeviceSession } from '../auth/device-session';
import { LongPoll, type OpenPoll, type PollEvent, type PollOutcome } from '../devices/long-poll';
import type { Uuid } from '../devices/model';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { DeviceEvents } from '../state/device-events';
import type { Rpc, RpcPatch, RpcStatus, RpcStore } from '../state/rpc-store';

/** An observation of the commands for one device: each is handed out once to it, one by one. */
export interface RpcObservation {
  /** The oldest command this observation has not had yet. */
  next(): Promise<RpcHandOut | undefined>;
  close(): void;
}

/** A command on its way; the transport says what became of it (contract 2.6.4). */
export interface RpcHandOut {
  readonly body: string;
  readonly expirationTime: number;
  sent(): void;
  delivered(): void;
  /** No acknowledgement in time. */
  lapsed(): void;
  /** Never arrived, and the observation is over: the next one, or a poll, gets it. */
  returned(): void;
}

/** `{"id":N,"method":"m","params":P}` in this member order (contract 3.8). */
export const renderRpc = (rpc: Rpc): string =>
  `{"id":${rpc.requestId},"method":${JSON.stringify(rpc.method)},"params":${rpc.params}}`;

/** Commands of the server on their way to the device: long polls and observations over the RPC store. */
export class RpcDelivery {
  /** Commands whose response is being written or whose new state is being stored: not to be handed out twice. */
  readonly #underWay = new Map<Uuid, number>();
  /** Commands of a device that are on their way back: the waiter that comes next must see them in their order. */
  readonly #returning = new Map<Uuid, Promise<unknown>>();

  constructor(
    private readonly ports: { events: DeviceEvents; auth: DeviceAuth; clock: Clock },
    private readonly rpcs: RpcStore,
    private readonly logger: Logger,
    /** `ACTORS_RPC_MAX_RETRIES` */
    private readonly maxRetries: number,
  ) {}

  /** Contract 1.5.4: at most one command, oldest first. @param done called once, unless the poll is cancelled */
  openPoll(session: DeviceSession, timeout: Millis, done: (outcome: PollOutcome) => void): OpenPoll {
    const { deviceId } = session;
    let openedAt: number | undefined;
    const take = async (): Promise<PollEvent | undefined> => {
      await this.#returning.get(deviceId);
      openedAt ??= await this.rpcs.nextRequestId(deviceId);
      for (const rpc of await this.rpcs.open(deviceId, this.ports.clock.now())) {
        if (this.#pending(rpc, openedAt)) return this.#handToPoll(rpc);
      }
      return undefined;
    };
    return new LongPoll(this.ports, { deviceId, wake: 'rpc', take }, timeout, done);
  }

  /**
   * All pending commands follow the registration, then every new one (contract 2.6.1).
   * @param onCommand called whenever `next` may have something new
   * @param onEnd called when the device's session ends (device deleted, credentials changed)
   * @throws TandemError STORE_UNAVAILABLE
   */
  async observe(deviceId: Uuid, onCommand: () => void, onEnd: (reason: SessionEnd) => void): Promise<RpcObservation> {
    const unwatch = this.ports.events.watch(deviceId, (wake) => wake === 'rpc' && onCommand());
    const offEnd = this.ports.auth.onSessionEnd(deviceId, onEnd);
    const close = () => {
      unwatch();
      offEnd();
    };
    try {
      const openedAt = await this.rpcs.nextRequestId(deviceId);
      const had = new Set<number>();
      return { next: () => this.#nextFor(deviceId, openedAt, had), close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** @param had the request ids of what this observation has had; what is not open any more is taken out */
  async #nextFor(deviceId: Uuid, openedAt: number, had: Set<number>): Promise<RpcHandOut | undefined> {
    await this.#returning.get(deviceId);
    const open = await this.rpcs.open(deviceId, this.ports.clock.now());
    const stillOpen = new Set(open.map((rpc) => rpc.requestId));
    for (const requestId of had) if (!stillOpen.has(requestId)) had.delete(requestId);
    const rpc = open.find((candidate) => !had.has(candidate.requestId) && this.#pending(candidate, openedAt));
    if (!rpc) return undefined;
    had.add(rpc.requestId);
    return this.#handOut(rpc);
  }

  /**
   * A two-way command is handed out again until it is answered. A one-way one is forgotten once handed out, except to
   * waiters that were there before it: it belongs to every one of them (contract 1.5.1).
   * @param waitingSince the request id the next command had when the waiter came
   */
  #pending(rpc: Rpc, waitingSince: number): boolean {
    if (rpc.status === 'TIMEOUT' && !rpc.persistent) return false;
    if (!rpc.oneway || rpc.requestId >= waitingSince) return true;
    return (rpc.status === 'QUEUED' || rpc.status === 'TIMEOUT') && !this.#underWay.has(rpc.id);
  }

  #handToPoll(rpc: Rpc): PollEvent {
    this.#hold(rpc.id);
    return {
      body: renderRpc(rpc),
      settled: (written) => {
        if (!written) {
          this.#release(rpc.id);
          // Nothing changed but that it can be had again: written as it is, it wakes the polls it was kept from.
          if (rpc.oneway) void this.#advance(rpc, [rpc.status], rpc.status);
          return;
        }
        this.#advance(rpc, undelivered(rpc), 'DELIVERED').then(() => this.#release(rpc.id));
      },
    };
  }

  #handOut(rpc: Rpc): RpcHandOut {
    this.#hold(rpc.id);
    let held = true;
    const release = () => {
      if (held) this.#release(rpc.id);
      held = false;
    };
    return {
      body: renderRpc(rpc),
      expirationTime: rpc.expirationTime,
      sent: () => void this.#advance(rpc, undelivered(rpc), 'SENT').then(release),
      delivered: () => void this.#advance(rpc, undelivered(rpc), 'DELIVERED'),
      lapsed: () => void this.#lapse(rpc),
      returned: () => {
        release();
        this.#return(rpc);
      },
    };
  }

  /** No acknowledgement: a persistent command is tried again until its retries are used up (server contract 6.3). */
  #lapse(rpc: Rpc): Promise<void> {
    const retries = Math.min(rpc.retries ?? this.maxRetries, this.maxRetries);
    if (rpc.persistent && rpc.attempts >= retries) {
      return this.#advance(rpc, ['QUEUED', 'SENT'], 'FAILED', {
        response: JSON.stringify({ error: `${EXHAUSTED} ${retries}` }),
        responseIsJson: true,
      });
    }
    return this.#advance(rpc, ['QUEUED', 'SENT'], 'TIMEOUT', { attempts: rpc.attempts + 1 });
  }

  #return(rpc: Rpc): void {
    const { deviceId } = rpc;
    const write = Promise.all([this.#returning.get(deviceId), this.#advance(rpc, ['QUEUED', 'SENT'], 'QUEUED')]).then(
      () => {
        if (this.#returning.get(deviceId) === write) this.#returning.delete(deviceId);
      },
    );
    this.#returning.set(deviceId, write);
  }

  async #advance(
    rpc: Rpc,
    from: readonly RpcStatus[],
    status: RpcStatus,
    more: Omit<RpcPatch, 'status'> = {},
  ): Promise<void> {
    try {
      await this.rpcs.transition(rpc.id, from, { ...more, status });
    } catch (error) {
      this.logger.error('RPC state not written', { rpcId: rpc.id, status, error: String(error) });
    }
  }

  #hold(id: Uuid): void {
    this.#underWay.set(id, (this.#underWay.get(id) ?? 0) + 1);
  }

  #release(id: Uuid): void {
    const holders = (this.#underWay.get(id) ?? 1) - 1;
    if (holders > 0) this.#underWay.set(id, holders);
    else this.#underWay.delete(id);
  }
}

/** Followed by the number of retries (server contract 6.3). */
const EXHAUSTED = 'There was a Timeout and all retry attempts have been exhausted. Retry attempts set:';

/** States from which it can still be delivered: the caller of one that is not persistent has been told of the time-out. */
const undelivered = (rpc: Rpc): readonly RpcStatus[] =>
  rpc.persistent ? ['QUEUED', 'SENT', 'TIMEOUT'] : ['QUEUED', 'SENT'];
