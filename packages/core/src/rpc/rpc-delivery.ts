import type { DeviceSession } from '../auth/device-session';
import { LongPoll, type LongPollPorts, type OpenPoll, type PollOutcome } from '../devices/long-poll';
import { lookAgain } from '../devices/look-again';
import type { Uuid } from '../devices/model';
import { type Observer, type ObserverListener, type ObserverPorts, Observers } from '../devices/observers';
import { TandemError } from '../errors';
import { type AnswerFormat, JSON_ANSWERS, type WrittenMessage, writeIn } from '../payload/format/index';
import type { EpochMillis, Millis, Timer } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Rpc, RpcStore } from '../state/rpc-store';
import { type CommandInHand, commandMessage, type HandOutSettings, type RpcHandOut, RpcHandOuts } from './rpc-hand-out';
import { endOfTurn, type SubmitStrategy, turnOf } from './submit-strategy';

/** Who waits for the commands of one device. */
interface Waiter {
  readonly deviceId: Uuid;
  /** The request id the next command had when the waiter came. */
  readonly since: number;
  /** How long it may need with a command. */
  readonly holdTime: Millis;
  readonly answers: AnswerFormat;
  /**
   * The commands it has had, each with the attempt it had; one that timed out is another attempt, unless it arrived after
   * all. What is not open any more is taken out. Undefined: none.
   */
  had: Map<Uuid, number> | undefined;
}

type Found = { readonly kind: 'command'; readonly command: CommandInHand } | LookAgainAt;

/** A command as its waiter gets it. */
type Written =
  | { readonly kind: 'command'; readonly command: CommandInHand; readonly message: WrittenMessage }
  | LookAgainAt;

interface LookAgainAt {
  readonly kind: 'nothing';
  /** When somebody's hold ends by itself: whoever died with a command in hand wakes nobody. */
  readonly lookAgainAt: EpochMillis | undefined;
}

/** How long a poll may need to write its response. */
const POLL_HOLD: Millis = 10_000;
/** How much longer than the time for its acknowledgement a notification is held: time to store what became of it. */
const ACK_MARGIN: Millis = 2_000;

/** Beyond every attempt. */
const ARRIVED = Number.POSITIVE_INFINITY;

export interface DeliverySettings extends HandOutSettings {
  /** `ACTORS_RPC_SUBMIT_STRATEGY_TYPE` */
  readonly strategy: SubmitStrategy;
}

/** An observation of the commands for one device: each is handed out once to it, one by one. */
export class RpcObservation {
  #again: Timer | undefined = undefined;

  constructor(
    private readonly delivery: RpcDelivery,
    private readonly observer: Observer,
    private readonly waiter: Waiter,
    private readonly listener: ObserverListener,
  ) {}

  /** The oldest command this observation has not had yet. */
  async next(): Promise<RpcHandOut | undefined> {
    const { delivery, observer } = this;
    this.#again?.cancel();
    if (observer.over) return undefined;
    const found = await delivery.take(this.waiter);
    if (!('lookAgainAt' in found)) return found;
    if (found.lookAgainAt !== undefined && !observer.over) {
      this.#again?.cancel();
      this.#again = delivery.lookAgain(found.lookAgainAt, this.listener);
    }
    return undefined;
  }

  /** To be called when the registration has been answered: the one of this process that was there before ends. */
  begin(): void {
    this.observer.begin();
  }

  close(): void {
    this.#again?.cancel();
    this.observer.close();
  }
}

/**
 * Commands of the server on their way to the device: long polls and observations over the RPC store, at any number of
 * processes. Whoever hands out a one-way command holds it in the store first, so that no other does as well; the hold of
 * one who died ends by itself, and then the next one gets the command.
 */
export class RpcDelivery {
  readonly #handOuts: RpcHandOuts;
  readonly #observers: Observers;
  readonly #observerHold: Millis;
  readonly #strategy: SubmitStrategy;

  constructor(
    private readonly ports: LongPollPorts & ObserverPorts,
    private readonly rpcs: RpcStore,
    private readonly logger: Logger,
    settings: DeliverySettings,
  ) {
    this.#handOuts = new RpcHandOuts(rpcs, ports.clock, logger, settings);
    this.#observers = new Observers('rpc', ports);
    this.#observerHold = settings.ackTimeout + ACK_MARGIN;
    this.#strategy = settings.strategy;
  }

  /** Commands that have arrived and of which the store, being away, has not heard yet. */
  get untold(): number {
    return this.#handOuts.untold;
  }

  /** Contract 1.5.4: at most one command, oldest first. @param done called once, unless the poll is cancelled */
  openPoll(
    session: DeviceSession,
    timeout: Millis,
    done: (outcome: PollOutcome) => void,
    answers: AnswerFormat = JSON_ANSWERS,
  ): OpenPoll {
    const { deviceId } = session;
    let waiter: Waiter | undefined;
    const take = async () => {
      if (!waiter) await this.ports.limits.take(session, 'message');
      await this.#handOuts.returned(deviceId);
      waiter ??= await this.#waiter(deviceId, POLL_HOLD, answers);
      const found = await this.#lookAndWrite(waiter);
      if (found.kind === 'command') return this.#handOuts.toPoll(found.command, found.message);
      return found.lookAgainAt === undefined ? undefined : { lookAgainAt: found.lookAgainAt };
    };
    return new LongPoll(this.ports, { session, wake: 'rpc', take }, timeout, done);
  }

  /**
   * All pending commands follow the registration, then every new one (contract 2.6.1). The observations of the device in
   * other processes end, and with `begin` the one of this process.
   * @param listener told whenever `next` may have something new; told of the end when the device's session ends (device
   * deleted, credentials changed) or another observation of it has taken the place of this one, perhaps before the promise
   * resolves
   * @throws TandemError TOO_MANY_REQUESTS; UNAUTHORIZED where the session ended meanwhile; STORE_UNAVAILABLE
   */
  async observe(
    session: DeviceSession,
    listener: ObserverListener,
    answers: AnswerFormat = JSON_ANSWERS,
  ): Promise<RpcObservation> {
    const [observer, waiter] = await this.#observers.register(session, listener, () =>
      this.#waiter(session.deviceId, this.#observerHold, answers),
    );
    return new RpcObservation(this, observer, waiter, listener);
  }

  /** For `RpcObservation` only: the next command for it, or when to look again, if that is known. */
  async take(waiter: Waiter): Promise<RpcHandOut | LookAgainAt> {
    await this.#handOuts.returned(waiter.deviceId);
    const found = await this.#lookAndWrite(waiter);
    if (found.kind === 'nothing') return found;
    const { id, attempts } = found.command.rpc;
    waiter.had ??= new Map();
    waiter.had.set(id, attempts);
    return this.#handOuts.toObserver(found.command, found.message, waiter.holdTime, {
      arrived: () => waiter.had?.set(id, ARRIVED),
      forget: () => waiter.had?.delete(id),
    });
  }

  /** For `RpcObservation` only. */
  lookAgain(at: EpochMillis, listener: ObserverListener): Timer {
    return lookAgain(this.ports.clock, at, () => listener.news());
  }

  async #waiter(deviceId: Uuid, holdTime: Millis, answers: AnswerFormat): Promise<Waiter> {
    return { deviceId, since: await this.rpcs.nextRequestId(deviceId), holdTime, answers, had: undefined };
  }

  /** One that the waiter's format cannot say has failed, and the next one is looked for. */
  async #lookAndWrite(waiter: Waiter): Promise<Written> {
    for (;;) {
      const found = await this.#look(waiter);
      if (found.kind === 'nothing') return found;
      const { rpc } = found.command;
      try {
        return { ...found, message: await writeIn(waiter.answers, commandMessage(rpc)) };
      } catch (error) {
        if (!(error instanceof TandemError) || error.code !== 'UNDELIVERABLE') throw error;
        const told = await this.#handOuts.undeliverable(rpc, error.message);
        if (!told) throw new TandemError('STORE_UNAVAILABLE');
        // Others may have it, in formats of theirs, so that it goes on: not to this one.
        waiter.had ??= new Map();
        waiter.had.set(rpc.id, rpc.attempts);
      }
    }
  }

  /** The oldest command the waiter may have, in its hand. */
  async #look(waiter: Waiter): Promise<Found> {
    const open = await this.rpcs.open(waiter.deviceId, this.ports.clock.now());
    forgetClosed(waiter, open);
    const { commands, head } = turnOf(open, this.#strategy, waiter.since);
    if (head?.status === 'DELIVERED' && (await this.#handOuts.awaitsAnswer(head)) === 'changed') {
      return this.#look(waiter);
    }
    let lookAgainAt = head && endOfTurn(head);
    for (const rpc of commands) {
      if (hasHad(waiter, rpc) || !concerns(rpc, waiter)) continue;
      const taken = await this.#take(rpc, waiter);
      if (taken.kind === 'command') return taken;
      lookAgainAt = Math.min(taken.lookAgainAt ?? Number.POSITIVE_INFINITY, lookAgainAt ?? Number.POSITIVE_INFINITY);
    }
    return { kind: 'nothing', lookAgainAt };
  }

  async #take(rpc: Rpc, waiter: Waiter): Promise<Found> {
    if (!rpc.oneway || rpc.status === 'DELIVERED') return { kind: 'command', command: { rpc, heldUntil: 0 } };
    const now = this.ports.clock.now();
    const until = now + waiter.holdTime;
    const free = rpc.heldUntil <= now;
    if (isNewTo(waiter, rpc)) {
      const held = free && (await this.#tryToHold(rpc, now, until));
      return { kind: 'command', command: { rpc, heldUntil: held ? until : 0 } };
    }
    if (!free) return { kind: 'nothing', lookAgainAt: rpc.heldUntil };
    if (await this.rpcs.hold(rpc.id, now, until)) return { kind: 'command', command: { rpc, heldUntil: until } };
    // Somebody was faster: whatever becomes of it in his hands wakes, unless he dies.
    return { kind: 'nothing', lookAgainAt: until };
  }

  /** Keeps a command from others that this waiter hands out in any case. */
  async #tryToHold(rpc: Rpc, now: EpochMillis, until: EpochMillis): Promise<boolean> {
    try {
      return await this.rpcs.hold(rpc.id, now, until);
    } catch (error) {
      this.logger.warn('RPC handed out without a hold', { rpcId: rpc.id, error: String(error) });
      return false;
    }
  }
}

const isNewTo = ({ since }: Waiter, rpc: Rpc): boolean => rpc.requestId >= since;

/**
 * A two-way command is handed out again until it is answered. A one-way one is forgotten once it has arrived, except to
 * waiters that were there before it: it belongs to every one of them (contract 1.5.1).
 */
function concerns(rpc: Rpc, waiter: Waiter): boolean {
  // Its caller has been told.
  if (rpc.status === 'TIMEOUT' && !rpc.persistent) return false;
  return !rpc.oneway || rpc.status !== 'DELIVERED' || isNewTo(waiter, rpc);
}

const hasHad = ({ had }: Waiter, { id, attempts }: Rpc): boolean => (had?.get(id) ?? -1) >= attempts;

function forgetClosed(waiter: Waiter, open: readonly Rpc[]): void {
  const { had } = waiter;
  if (had === undefined) return;
  const stillOpen = open.flatMap(({ id }): [Uuid, number][] => {
    const attempt = had.get(id);
    return attempt === undefined ? [] : [[id, attempt]];
  });
  waiter.had = stillOpen.length === 0 ? undefined : new Map(stillOpen);
}
