import { type Call, type Node, nameOf } from './probe';
import { NotYetError } from './reasons';

/** What a server says of itself. */
export interface ServerFacts {
  /** `host:port`. */
  readonly where: string;
  /** Undefined where it does not say. */
  readonly version: string | undefined;
  readonly mode: string;
  readonly cluster: boolean;
  readonly master: boolean;
  readonly replicas: number;
  /** Bytes; 0 = no limit. */
  readonly maxmemory: number;
  readonly policy: string;
  /** Whether it keeps an append-only file. */
  readonly aof: boolean;
  /** `always`, `everysec` or `no`; undefined where that may not be asked. */
  readonly fsync: string | undefined;
}

/** @throws NotYetError while it loads its data */
export async function readFacts(call: Call, node: Node): Promise<ServerFacts> {
  // All of it: older servers know one section at a time, and refuse a list of them.
  const info = fieldsOf(await call('INFO'));
  const where = nameOf(node);
  if (info.get('loading') === '1') {
    throw new NotYetError(`${where} is loading its data (${info.get('loading_loaded_perc') ?? '0'} %)`);
  }
  const mode = info.get('redis_mode') ?? 'standalone';
  return {
    where,
    version: info.get('redis_version'),
    mode,
    cluster: mode === 'cluster' || info.get('cluster_enabled') === '1',
    master: info.get('role') !== 'slave',
    replicas: Number(info.get('connected_slaves') ?? 0),
    maxmemory: Number(info.get('maxmemory') ?? 0),
    policy: info.get('maxmemory_policy') ?? 'noeviction',
    aof: info.get('aof_enabled') === '1',
    fsync: await call('CONFIG', 'GET', 'appendfsync').then(secondOf, () => undefined),
  };
}

/** The masters of the Cluster that a node belongs to. @throws NotYetError while it does not serve all slots */
export async function readMasters(call: Call, node: Node): Promise<readonly Node[]> {
  const state = fieldsOf(await call('CLUSTER', 'INFO')).get('cluster_state');
  if (state !== 'ok')
    throw new NotYetError(`${nameOf(node)}: the Cluster does not serve all slots (cluster_state:${state})`);
  const masters = new Map<string, Node>();
  for (const range of listOf(await call('CLUSTER', 'SLOTS'))) {
    const [host, port] = listOf(listOf(range)[2]);
    // A node that does not know its own address is where it was found.
    const known = typeof host === 'string' && host !== '' && host !== '?' ? host : node.host;
    const master = { host: known, port: Number(port) };
    masters.set(nameOf(master), master);
  }
  return [...masters.values()];
}

const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);

function secondOf(reply: unknown): string | undefined {
  const value = listOf(reply)[1];
  return typeof value === 'string' ? value : undefined;
}

/** `name:value` lines, as INFO and CLUSTER INFO give them. */
function fieldsOf(text: unknown): ReadonlyMap<string, string> {
  const pairs = String(text)
    .split('\r\n')
    .map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
  return new Map(pairs);
}
