import {
  type EpochMillis,
  HOLDABLE_RPC_STATES,
  isFinal,
  type NewRpc,
  OPEN_RPC_STATES,
  type Page,
  type PageQuery,
  page,
  type Rpc,
  type RpcPatch,
  type RpcStatus,
  type RpcStore,
  type Uuid,
} from '@tandem/core';
import type { Environment } from './environment';
import { offsetBytes, prefixRange, uuidBytes } from './keys';
import type { Transactions } from './transactions';
import type { WakeUps } from './wake-ups';

/** Request ids are int32 on the wire (contract 1.6). */
const REQUEST_IDS = 0x8000_0000;

export class EmbeddedRpcs implements RpcStore {
  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUps,
    private readonly maxPending: number,
  ) {}

  async create(request: NewRpc): Promise<Rpc | undefined> {
    const rpc = await this.transactions.run((): Rpc | undefined => {
      if (!this.env.devices.doesExist(request.deviceId)) return undefined;
      const there = this.#get(request.id);
      if (there) return isSameCommand(there, request) ? there : undefined;
      const { lapsed, pending } = this.#waiting(request.deviceId, request.createdTime);
      if (pending >= this.maxPending) return undefined;
      for (const rpc of lapsed) this.env.rpcsOpen.remove(rpcKey(rpc));
      const requestId = this.#nextRequestId(request.deviceId);
      const created: Rpc = {
        ...request,
        requestId,
        status: 'QUEUED',
        attempts: 0,
        response: null,
        responseIsJson: false,
        heldUntil: 0,
      };
      this.env.rpcCounters.put(request.deviceId, String((requestId + 1) % REQUEST_IDS));
      this.env.rpcs.put(created.id, JSON.stringify(created));
      this.env.rpcsByDevice.put(rpcKey(created), created.id);
      this.env.rpcsOpen.put(rpcKey(created), created.id);
      this.env.rpcExpiry.put([created.expirationTime, created.id], '');
      return created;
    });
    if (rpc) this.wakeUps.wake(rpc.deviceId, 'rpc');
    return rpc;
  }

  async get(id: Uuid): Promise<Rpc | undefined> {
    return this.#get(id);
  }

  async findByRequestId(deviceId: Uuid, requestId: number): Promise<Rpc | undefined> {
    if (!Number.isInteger(requestId) || requestId < 0 || requestId >= REQUEST_IDS) return undefined;
    const id = this.env.rpcsByDevice.get(Buffer.concat([uuidBytes(deviceId), offsetBytes(requestId)]));
    return id === undefined ? undefined : this.#get(id);
  }

  async nextRequestId(deviceId: Uuid): Promise<number> {
    return this.#nextRequestId(deviceId);
  }

  async open(deviceId: Uuid, now: EpochMillis): Promise<Rpc[]> {
    return this.#open(deviceId, now);
  }

  async transition(id: Uuid, from: readonly RpcStatus[], patch: RpcPatch): Promise<Rpc | undefined> {
    const changed = await this.transactions.run((): Rpc | undefined => {
      const stored = this.#get(id);
      if (!stored || !from.includes(stored.status)) return undefined;
      const { status, response = stored.response, attempts = stored.attempts } = patch;
      const next: Rpc = {
        ...stored,
        status,
        response,
        attempts,
        responseIsJson: patch.responseIsJson ?? stored.responseIsJson,
        heldUntil: patch.heldUntil ?? 0,
      };
      this.env.rpcs.put(id, JSON.stringify(next));
      if (!OPEN_RPC_STATES.includes(next.status)) this.env.rpcsOpen.remove(rpcKey(next));
      if (next.persistent && isFinal(next)) this.env.rpcExpiry.remove([next.expirationTime, id]);
      return next;
    });
    if (changed) this.wakeUps.wake(changed.deviceId, 'rpc');
    return changed;
  }

  hold(id: Uuid, now: EpochMillis, until: EpochMillis): Promise<boolean> {
    return this.transactions.run(() => {
      const stored = this.#get(id);
      if (!stored || !HOLDABLE_RPC_STATES.includes(stored.status) || stored.heldUntil > now) return false;
      this.env.rpcs.put(id, JSON.stringify({ ...stored, heldUntil: until } satisfies Rpc));
      return true;
    });
  }

  async list(deviceId: Uuid, query: PageQuery & { readonly status?: RpcStatus }): Promise<Page<Rpc>> {
    const ids = [...this.env.rpcsByDevice.getRange(prefixRange(uuidBytes(deviceId))).map(({ value }) => value)];
    const rpcs = ids.flatMap((id) => this.#get(id) ?? []).filter(({ persistent }) => persistent);
    return page(query.status ? rpcs.filter(({ status }) => status === query.status) : rpcs, query);
  }

  async remove(id: Uuid): Promise<boolean> {
    const removed = await this.transactions.run(() => {
      const stored = this.#get(id);
      if (!stored) return undefined;
      this.#remove(stored);
      return stored;
    });
    if (removed) this.wakeUps.wake(removed.deviceId, 'rpc');
    return removed !== undefined;
  }

  async expired(before: EpochMillis, limit: number): Promise<Rpc[]> {
    if (limit <= 0) return [];
    return [...this.env.rpcExpiry.getKeys({ end: [before], limit })].flatMap(([, id]) => this.#get(String(id)) ?? []);
  }

  /** Within a transaction: the RPCs of a device that goes. */
  removeAll(deviceId: Uuid): void {
    const ids = [...this.env.rpcsByDevice.getRange(prefixRange(uuidBytes(deviceId))).map(({ value }) => value)];
    for (const rpc of ids.flatMap((id) => this.#get(id) ?? [])) this.#remove(rpc);
    this.env.rpcCounters.remove(deviceId);
  }

  #remove(rpc: Rpc): void {
    this.env.rpcs.remove(rpc.id);
    this.env.rpcsByDevice.remove(rpcKey(rpc));
    this.env.rpcsOpen.remove(rpcKey(rpc));
    this.env.rpcExpiry.remove([rpc.expirationTime, rpc.id]);
  }

  #get(id: Uuid): Rpc | undefined {
    const text = this.env.rpcs.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as Rpc);
  }

  #nextRequestId(deviceId: Uuid): number {
    return Number(this.env.rpcCounters.get(deviceId) ?? 0);
  }

  #open(deviceId: Uuid, now: EpochMillis): Rpc[] {
    return this.#allOpen(deviceId).filter(({ expirationTime }) => expirationTime > now);
  }

  /** What a new RPC of the device meets. The lapsed are nobody's any more: only `expired` still has to see them. */
  #waiting(deviceId: Uuid, now: EpochMillis): { lapsed: Rpc[]; pending: number } {
    const open = this.#allOpen(deviceId);
    return {
      lapsed: open.filter(({ expirationTime }) => expirationTime <= now),
      pending: open.filter((rpc) => rpc.expirationTime > now && !isFinal(rpc)).length,
    };
  }

  #allOpen(deviceId: Uuid): Rpc[] {
    const ids = this.env.rpcsOpen.getRange(prefixRange(uuidBytes(deviceId))).map(({ value }) => value);
    return [...ids].flatMap((id) => this.#get(id) ?? []);
  }
}

const rpcKey = ({ deviceId, requestId }: Pick<Rpc, 'deviceId' | 'requestId'>) =>
  Buffer.concat([uuidBytes(deviceId), offsetBytes(requestId)]);

/** Whether it is the one that was created by such a request, whatever became of it since. */
const isSameCommand = (rpc: Rpc, request: NewRpc): boolean =>
  (Object.keys(request) as (keyof NewRpc)[]).every((field) => rpc[field] === request[field]);
