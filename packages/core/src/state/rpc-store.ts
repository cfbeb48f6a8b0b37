import type { Uuid } from '../devices/model';
import type { EpochMillis } from '../platform/clock';
import type { Page, PageQuery } from './device-store';

/** Server contract 6.3. */
export type RpcStatus = 'QUEUED' | 'SENT' | 'DELIVERED' | 'SUCCESSFUL' | 'TIMEOUT' | 'FAILED' | 'EXPIRED';

/** States in which an answer of the device still counts. */
export const OPEN_RPC_STATES: readonly RpcStatus[] = ['QUEUED', 'SENT', 'DELIVERED', 'TIMEOUT'];

/** States in which a waiter may take a command in hand. */
export const HOLDABLE_RPC_STATES: readonly RpcStatus[] = ['QUEUED', 'SENT', 'TIMEOUT'];

/** Whether nothing can happen to it any more but its removal. */
export function isFinal({ status, oneway, persistent }: Pick<Rpc, 'status' | 'oneway' | 'persistent'>): boolean {
  if (status === 'DELIVERED') return oneway;
  if (status === 'TIMEOUT') return !persistent;
  return status !== 'QUEUED' && status !== 'SENT';
}

/** Final ones that `open` gives at the most. */
export const MAX_FINAL_OPEN = 1_000;

/** A command of the server to a device. */
export interface Rpc {
  readonly id: Uuid;
  readonly tenantId: Uuid;
  readonly deviceId: Uuid;
  readonly createdTime: EpochMillis;
  readonly expirationTime: EpochMillis;
  /** What the device sees as `id`: counted per device from 0 (contract 3.8). */
  readonly requestId: number;
  readonly oneway: boolean;
  readonly persistent: boolean;
  readonly method: string;
  /** Any JSON text; `null` where the caller gave none. */
  readonly params: string;
  /** How often a delivery that timed out may be tried again. */
  readonly retries: number | null;
  readonly attempts: number;
  readonly additionalInfo: string | null;
  /** The `traceparent` it was sent with, where there was one. */
  readonly trace?: string;
  readonly status: RpcStatus;
  /** What the device answered, as it came; a JSON text for FAILED. */
  readonly response: string | null;
  /** Whether the response is JSON. */
  readonly responseIsJson: boolean;
  /**
   * Until then somebody has it in hand: a waiter, of whatever process, that hands it out; of a DELIVERED one the device, which
   * owes the answer. 0 = nobody, or nobody knows until when.
   */
  readonly heldUntil: EpochMillis;
}

export type NewRpc = Omit<Rpc, 'requestId' | 'status' | 'attempts' | 'response' | 'responseIsJson' | 'heldUntil'>;

export interface RpcPatch {
  readonly status: RpcStatus;
  /** When it happens; counts for a persistent command that becomes final: the creation where nothing is named. */
  readonly at?: EpochMillis;
  readonly response?: string | null;
  readonly responseIsJson?: boolean;
  /** Never fewer than there were: then nothing changes. A try that two had in hand counts once, and a late word of it not at all. */
  readonly attempts?: number;
  /** The hold ends with every transition that does not name another end. */
  readonly heldUntil?: EpochMillis;
  /**
   * Until when the command stays among the open ones if it is final in an open state: so long it may concern a waiter that
   * was there before it (contract 1.5.1). Until its expiration where that is sooner, or nothing is named.
   */
  readonly openUntil?: EpochMillis;
}

/** `textSearch` is a part of the method, in any letter case. */
export interface RpcQuery extends PageQuery {
  readonly sortProperty?: RpcSortProperty;
  readonly status?: RpcStatus;
}

const RPC_SORT_PROPERTIES = ['createdTime', 'expirationTime', 'status', 'method', 'response'] as const;
export type RpcSortProperty = (typeof RPC_SORT_PROPERTIES)[number];

/**
 * Every RPC from its creation until it is removed. A transition is compare-and-set: it happens only from one of the
 * named states, so of two answers the first wins. Each creation, transition and removal wakes the device's waiters (`rpc`).
 * Where the answer of a write got lost on the way, doing it again is the same write: `create` with the same content gives
 * the command that is there.
 */
export interface RpcStore {
  /**
   * Assigns the request id; QUEUED. Undefined, and no request id is used, when the device is gone, has
   * `TANDEM_RPC_MAX_PENDING` that are neither final nor lapsed at `createdTime`, or the id is taken by another command.
   */
  create(rpc: NewRpc): Promise<Rpc | undefined>;
  get(id: Uuid): Promise<Rpc | undefined>;
  findByRequestId(deviceId: Uuid, requestId: number): Promise<Rpc | undefined>;
  /** The request id the device's next RPC will get. */
  nextRequestId(deviceId: Uuid): Promise<number>;
  /**
   * RPCs of the device in one of OPEN_RPC_STATES that have not expired, in the order of their request ids: all that are not
   * final, and of the others those that stay open (`RpcPatch.openUntil`), where they are more than MAX_FINAL_OPEN those
   * that were created last. At most `TANDEM_RPC_MAX_PENDING` + MAX_FINAL_OPEN.
   */
  open(deviceId: Uuid, now: EpochMillis): Promise<Rpc[]>;
  /** The RPC after the change, or undefined when it was in none of the `from` states, or `RpcPatch.attempts` refused. What `patch` leaves out stays. */
  transition(id: Uuid, from: readonly RpcStatus[], patch: RpcPatch): Promise<Rpc | undefined>;
  /**
   * Takes a command in hand that is QUEUED, SENT or TIMEOUT and that nobody holds at `now`, so that no other waiter hands it
   * out as well. Changes nothing but `heldUntil` and wakes nobody: whoever holds it ends that with a transition, or dies,
   * and then it ends by itself.
   * @returns whether the caller holds it
   */
  hold(id: Uuid, now: EpochMillis, until: EpochMillis): Promise<boolean>;
  /**
   * The persistent ones: the others are nobody's business but their caller's. By creation, newest first, where no order is
   * asked for; what is equal there stands in the same order on every page. A page by creation without a search reads no more
   * than itself.
   */
  list(deviceId: Uuid, query: RpcQuery): Promise<Page<Rpc>>;
  remove(id: Uuid): Promise<boolean>;
  /**
   * What has to be cleared away: RPCs of any device whose expirationTime is before `before` and that are not persistent,
   * or persistent and not final; at most `limit`, earliest first.
   * What is neither removed nor made final comes again.
   */
  expired(before: EpochMillis, limit: number): Promise<Rpc[]>;
  /**
   * Ids of persistent RPCs of any device that became final before `before`; at most `limit`, earliest first. What is not
   * removed comes again. Of one device no more than `TANDEM_RPC_FINISHED_MAX` are kept: the transition that makes one more
   * final removes the one that was created first.
   */
  finished(before: EpochMillis, limit: number): Promise<Uuid[]>;
}
