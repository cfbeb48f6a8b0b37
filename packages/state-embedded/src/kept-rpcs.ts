import {
  type EpochMillis,
  isStretch,
  type MetricsRegistry,
  type Page,
  type Rpc,
  type RpcQuery,
  rpcPage,
  type Uuid,
} from '@tandem/core';
import type { Environment } from './environment';
import { offsetBytes, prefixRange, timestampBytes, uuidBytes } from './keys';

type Tables = Pick<Environment, 'rpcsKept' | 'rpcsFinished' | 'rpcEnds'>;

/** The persistent commands of devices in the order of their creation, and which of them are final and since when. */
export class KeptRpcs {
  readonly #displaced: { add(n: number): void };

  /**
   * @param maxFinished of one device: `TANDEM_RPC_FINISHED_MAX`
   * @param get the command; undefined = it is gone
   */
  constructor(
    private readonly env: Tables,
    private readonly maxFinished: number,
    private readonly get: (id: Uuid) => Rpc | undefined,
    metrics: MetricsRegistry,
  ) {
    this.#displaced = metrics.counter(
      'tandem_rpcs_displaced_total',
      'Finished persistent commands that made room for newer ones of their device: TANDEM_RPC_FINISHED_MAX',
    );
  }

  /** Within a transaction: a new command. */
  add(rpc: Rpc): void {
    if (rpc.persistent) this.env.rpcsKept.put(keptKey(rpc), rpc.id);
  }

  /** Within a transaction: it is final. @returns which commands have to make room */
  finish(rpc: Rpc, at: EpochMillis): readonly Rpc[] {
    const key = finishedKey(rpc);
    if (this.env.rpcsFinished.get(key) !== undefined) return [];
    this.env.rpcsFinished.put(key, `${rpc.id} ${at}`);
    this.env.rpcEnds.put([at, rpc.id], '');
    const range = prefixRange(uuidBytes(rpc.deviceId));
    // A copy: lmdb writes into it.
    const tooMany = this.env.rpcsFinished.getCount({ ...range }) - this.maxFinished;
    if (tooMany <= 0) return [];
    const oldest = [...this.env.rpcsFinished.getRange({ ...range, limit: Math.min(tooMany, MOST_DISPLACED) })];
    const displaced = oldest.flatMap(({ value }) => this.get(value.split(' ')[0] ?? '') ?? []);
    this.#displaced.add(displaced.length);
    return displaced;
  }

  /** Within a transaction: the command goes. */
  remove(rpc: Rpc): void {
    if (!rpc.persistent) return;
    this.env.rpcsKept.remove(keptKey(rpc));
    const [, at] = this.env.rpcsFinished.get(finishedKey(rpc))?.split(' ') ?? [];
    if (at === undefined) return;
    this.env.rpcsFinished.remove(finishedKey(rpc));
    this.env.rpcEnds.remove([Number(at), rpc.id]);
  }

  finished(before: EpochMillis, limit: number): Uuid[] {
    if (limit <= 0) return [];
    return [...this.env.rpcEnds.getKeys({ end: [before], limit })].map(([, id]) => String(id));
  }

  page(deviceId: Uuid, query: RpcQuery): Page<Rpc> {
    const { start, end } = prefixRange(uuidBytes(deviceId));
    if (!isStretch(query)) return rpcPage(this.#read({ start, end }), query);
    const { pageSize, page, sortOrder = 'DESC' } = query;
    const stretch = { offset: page * pageSize, limit: pageSize };
    const data = this.#read(
      sortOrder === 'ASC' ? { start, end, ...stretch } : { start: end, end: start, reverse: true, ...stretch },
    );
    return { data, totalElements: this.env.rpcsKept.getCount({ start, end }) };
  }

  #read(range: Parameters<Tables['rpcsKept']['getRange']>[0]): Rpc[] {
    return [...this.env.rpcsKept.getRange(range)].flatMap(({ value }) => this.get(value) ?? []);
  }
}

/** One step makes so many make room, should the bound have become smaller. */
const MOST_DISPLACED = 10;

const finishedKey = ({ deviceId, requestId }: Rpc) => Buffer.concat([uuidBytes(deviceId), offsetBytes(requestId)]);
const keptKey = ({ deviceId, createdTime, requestId }: Rpc) =>
  Buffer.concat([uuidBytes(deviceId), timestampBytes(createdTime), offsetBytes(requestId)]);
