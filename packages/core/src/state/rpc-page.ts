import type { Page } from './device-store';
import type { Rpc, RpcQuery } from './rpc-store';

/** What a command is found and sorted by. */
export type RpcRow = Pick<Rpc, 'id' | 'status' | 'method' | 'expirationTime' | 'response'>;

/** Whether a page is a stretch of all the commands in the order of their creation. */
export const isStretch = ({ status, textSearch, sortProperty = 'createdTime' }: RpcQuery): boolean =>
  status === undefined && !textSearch && sortProperty === 'createdTime';

/**
 * One page out of the persistent commands of a device.
 * @param kept all of them, by creation, oldest first: what is equal otherwise stays in this order
 */
export function rpcPage<T extends RpcRow>(kept: readonly T[], query: RpcQuery): Page<T> {
  const { pageSize, page, status, textSearch, sortProperty = 'createdTime', sortOrder = 'DESC' } = query;
  const wanted = textSearch?.toLowerCase() ?? '';
  const fitting = kept.filter(
    (rpc) => (status === undefined || rpc.status === status) && rpc.method.toLowerCase().includes(wanted),
  );
  if (sortProperty !== 'createdTime') fitting.sort((a, b) => compare(a[sortProperty] ?? '', b[sortProperty] ?? ''));
  if (sortOrder === 'DESC') fitting.reverse();
  return { data: fitting.slice(page * pageSize, (page + 1) * pageSize), totalElements: fitting.length };
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : Number(a > b));
