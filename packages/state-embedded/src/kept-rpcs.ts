import {
  type EpochMillis,
  isStretch,
  type MetricsRegistry,
  type Page,
  type Rpc,
  type RpcQuery,
  type RpcRow,
  type RpcStatus,
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
    this.#displaced = metrics.counter('tandem_rpcs_displaced_total');
  }

  /** Within a transaction: a command is new, or has changed. */
  put(rpc: Rpc): void {
    if (rpc.persistent) this.env.rpcsKept.put(keptKey(rpc), textOf(rpc));
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
    if (!isStretch(query)) {
      const rows = this.#rows({ start, end });
      const full = query.sortProperty === 'response' ? this.#read(rows) : rows;
      const { data, totalElements } = rpcPage(full, query);
      return { data: this.#read(data), totalElements };
    }
    const { pageSize, page, sortOrder = 'DESC' } = query;
    const stretch = { offset: page * pageSize, limit: pageSize };
    const rows = this.#rows(
      sortOrder === 'ASC' ? { start, end, ...stretch } : { start: end, end: start, reverse: true, ...stretch },
    );
    return { data: this.#read(rows), totalElements: this.env.rpcsKept.getCount({ start, end }) };
  }

  #rows(range: Parameters<Tables['rpcsKept']['getRange']>[0]): RpcRow[] {
    return [...this.env.rpcsKept.getRange(range).map(({ value }) => rowOf(value))];
  }

  #read(rows: readonly RpcRow[]): Rpc[] {
    return rows.flatMap(({ id }) => this.get(id) ?? []);
  }
}

/** One step makes so many make room, should the bound have become smaller. */
const MOST_DISPLACED = 10;

/** Commands are found by this without being read. */
const textOf = ({ id, status, expirationTime, method }: Rpc): string => `${id} ${status} ${expirationTime} ${method}`;

function rowOf(text: string): RpcRow {
  const [id = '', status = '', expirationTime = '', ...method] = text.split(' ');
  return {
    id,
    status: status as RpcStatus,
    expirationTime: Number(expirationTime),
    method: method.join(' '),
    response: null,
  };
}

const finishedKey = ({ deviceId, requestId }: Rpc) => Buffer.concat([uuidBytes(deviceId), offsetBytes(requestId)]);
const keptKey = ({ deviceId, createdTime, requestId }: Rpc) =>
  Buffer.concat([uuidBytes(deviceId), timestampBytes(createdTime), offsetBytes(requestId)]);
