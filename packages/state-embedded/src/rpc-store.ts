import {
  type EpochMillis,
  HOLDABLE_RPC_STATES,
  isFinal,
  MAX_FINAL_OPEN,
  type MetricsRegistry,
  type NewRpc,
  OPEN_RPC_STATES,
  type Page,
  type Rpc,
  type RpcPatch,
  type RpcQuery,
  type RpcStatus,
  type RpcStore,
  type Uuid,
} from '@tandem/core';
import type { Environment } from './environment';
import { KeptRpcs } from './kept-rpcs';
import { offsetBytes, prefixRange, uuidBytes } from './keys';
import type { Transactions } from './transactions';
import type { WakeUps } from './wake-ups';

/** Request ids are int32 on the wire (contract 1.6). */
const REQUEST_IDS = 0x8000_0000;

interface Listed {
  readonly key: Buffer;
  readonly id: Uuid;
  /** Of a final one only: until when it stays listed. */
  readonly finalUntil: EpochMillis | undefined;
}

export interface EmbeddedRpcsOptions {
  /** Open RPCs of one device: `TANDEM_RPC_MAX_PENDING`. */
  readonly maxPending: number;
  /** Finished persistent ones of one device: `TANDEM_RPC_FINISHED_MAX`. */
  readonly maxFinished: number;
  readonly metrics: MetricsRegistry;
}

export class EmbeddedRpcs implements RpcStore {
  readonly #kept: KeptRpcs;

  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly wakeUps: WakeUps,
    private readonly options: EmbeddedRpcsOptions,
  ) {
    this.#kept = new KeptRpcs(env, options.maxFinished, (id) => this.#get(id), options.metrics);
  }

  async create(request: NewRpc): Promise<Rpc | undefined> {
    const rpc = await this.transactions.run((): Rpc | undefined => {
      if (!this.env.devices.doesExist(request.deviceId)) return undefined;
      const there = this.#get(request.id);
      if (there) return isSameCommand(there, request) ? there : undefined;
      const { lapsed, pending } = this.#waiting(request.deviceId, request.createdTime);
      if (pending >= this.options.maxPending) return undefined;
      for (const key of lapsed) this.env.rpcsOpen.remove(key);
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
      this.#kept.put(created);
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
      if (attempts < stored.attempts) return undefined;
      const next: Rpc = {
        ...stored,
        status,
        response,
        attempts,
        responseIsJson: patch.responseIsJson ?? stored.responseIsJson,
        heldUntil: patch.heldUntil ?? 0,
      };
      this.env.rpcs.put(id, JSON.stringify(next));
      this.#list(next, patch.openUntil);
      this.#kept.put(next);
      if (next.persistent && isFinal(next)) {
        this.env.rpcExpiry.remove([next.expirationTime, id]);
        for (const older of this.#kept.finish(next, patch.at ?? next.createdTime)) this.#remove(older);
      }
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

  async list(deviceId: Uuid, query: RpcQuery): Promise<Page<Rpc>> {
    return this.#kept.page(deviceId, query);
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

  async finished(before: EpochMillis, limit: number): Promise<Uuid[]> {
    return this.#kept.finished(before, limit);
  }

  /** Within a transaction: enters a persistent one into the lists that an earlier version did not keep. */
  relist(id: Uuid): void {
    const rpc = this.#get(id);
    if (!rpc?.persistent) return;
    this.#kept.put(rpc);
    if (!isFinal(rpc)) return;
    // Nobody noted since when it is final: it was before it would have lapsed.
    for (const older of this.#kept.finish(rpc, rpc.expirationTime)) this.#remove(older);
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
    this.#kept.remove(rpc);
  }

  #get(id: Uuid): Rpc | undefined {
    const text = this.env.rpcs.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as Rpc);
  }

  #nextRequestId(deviceId: Uuid): number {
    return Number(this.env.rpcCounters.get(deviceId) ?? 0);
  }

  /** Keeps the list of the open ones after a change. Who has left it does not come back. */
  #list(rpc: Rpc, openUntil: EpochMillis | undefined): void {
    const key = rpcKey(rpc);
    if (!OPEN_RPC_STATES.includes(rpc.status)) this.env.rpcsOpen.remove(key);
    else if (this.env.rpcsOpen.get(key) !== undefined) {
      const until = Math.min(rpc.expirationTime, openUntil ?? Number.POSITIVE_INFINITY);
      this.env.rpcsOpen.put(key, isFinal(rpc) ? `${rpc.id} ${until}` : rpc.id);
    }
  }

  #open(deviceId: Uuid, now: EpochMillis): Rpc[] {
    const entries = this.#listed(deviceId).filter(({ finalUntil = Number.POSITIVE_INFINITY }) => finalUntil > now);
    let tooMany = entries.filter(({ finalUntil }) => finalUntil !== undefined).length - MAX_FINAL_OPEN;
    return entries
      .filter(({ finalUntil }) => finalUntil === undefined || tooMany-- <= 0)
      .flatMap(({ id }) => this.#get(id) ?? [])
      .filter(({ expirationTime }) => expirationTime > now);
  }

  /** What a new RPC of the device meets. The lapsed are nobody's any more: only `expired` still has to see them. */
  #waiting(deviceId: Uuid, now: EpochMillis): { lapsed: Buffer[]; pending: number } {
    const lapsed: Buffer[] = [];
    let pending = 0;
    for (const { key, id, finalUntil } of this.#listed(deviceId)) {
      const rpc = finalUntil === undefined ? this.#get(id) : undefined;
      if ((finalUntil ?? rpc?.expirationTime ?? 0) <= now) lapsed.push(key);
      // Final ones that an earlier release listed do not say so.
      else if (rpc && !isFinal(rpc)) pending++;
    }
    return { lapsed, pending };
  }

  /** The list of the open ones, in the order of their request ids. */
  #listed(deviceId: Uuid): Listed[] {
    return [...this.env.rpcsOpen.getRange(prefixRange(uuidBytes(deviceId)))].map(({ key, value }) => {
      const [id = '', finalUntil] = value.split(' ');
      return { key, id, finalUntil: finalUntil === undefined ? undefined : Number(finalUntil) };
    });
  }
}

const rpcKey = ({ deviceId, requestId }: Pick<Rpc, 'deviceId' | 'requestId'>) =>
  Buffer.concat([uuidBytes(deviceId), offsetBytes(requestId)]);

/** Whether it is the one that was created by such a request, whatever became of it since. */
const isSameCommand = (rpc: Rpc, request: NewRpc): boolean =>
  (Object.keys(request) as (keyof NewRpc)[]).every((field) => rpc[field] === request[field]);
