import type { RedisAddress } from '@tandem/core';
import { HOST, RedisServer } from './redis-server';
import { reservePort } from './reserve-port';

const SLOTS = 16_384;

export interface RedisClusterOptions {
  readonly masters?: number;
  /** Of each master. */
  readonly replicas?: number;
  readonly appendonly?: 'always' | 'everysec' | 'no';
  /** After so many milliseconds without a sign of life a node counts as dead. */
  readonly nodeTimeout?: number;
  /** Any further arguments of every redis-server. */
  readonly args?: readonly string[];
}

/** A Redis Cluster on free ports of the loopback interface, with all slots served and all replicas in step. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 1 } = options;
  const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, () => startNode(options)));
  const cluster = new RedisCluster(nodes);
  try {
    await form(nodes, masters);
    await cluster.healthy();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

export class RedisCluster {
  constructor(readonly nodes: readonly RedisServer[]) {}

  get address(): RedisAddress {
    return {
      nodes: this.nodes.map(({ port }) => ({ host: HOST, port })),
      tls: false,
      username: undefined,
      password: undefined,
      database: 0,
    };
  }

  get url(): string {
    return this.nodes.map(({ url }) => url).join(',');
  }

  /** Who serves a slot, or the slot of a key, by what the nodes that run say now. */
  async masterOf(slotOrKey: number | string): Promise<RedisServer> {
    const running = this.nodes.filter((node) => node.running);
    const slot = Number(
      typeof slotOrKey === 'number' ? slotOrKey : await running[0]?.cli('CLUSTER', 'KEYSLOT', slotOrKey),
    );
    for (const node of running) {
      const [header = ''] = (await node.cli('CLUSTER', 'NODES')).split('\n').filter((line) => line.includes('myself'));
      if (servedBy(header).some(([first, last]) => slot >= first && slot <= last)) return node;
    }
    throw new Error(`No node that runs serves slot ${slot}`);
  }

  /** Those who follow a master. */
  async replicasOf(master: RedisServer): Promise<readonly RedisServer[]> {
    const id = await master.cli('CLUSTER', 'MYID');
    const ports = (await master.cli('CLUSTER', 'REPLICAS', id)).split('\n').map(portOf);
    return this.nodes.filter(({ port }) => ports.includes(port));
  }

  /** Kills who serves that slot or key; its replica takes over after about the node time-out. */
  async killMaster(slotOrKey: number | string): Promise<RedisServer> {
    const master = await this.masterOf(slotOrKey);
    await master.kill9();
    return master;
  }

  /** Resolves when every node that runs knows that all slots are served, and every replica has what its master has. */
  async healthy(): Promise<void> {
    const nodes = this.nodes.filter(({ running }) => running);
    const ports = nodes.map(({ port }) => port);
    for (const node of nodes) await until(() => isHealthy(node, ports));
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

async function startNode({ nodeTimeout = 1_500, appendonly, args = [] }: RedisClusterOptions): Promise<RedisServer> {
  // Not port + 10000, which nobody has reserved.
  const bus = await reservePort();
  const server = await RedisServer.reserve({
    appendonly,
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(bus.port)],
      ...['--cluster-node-timeout', String(nodeTimeout), '--cluster-allow-replica-migration', 'no'],
      ...args,
    ],
    release: bus.release,
  });
  await server.restart();
  return server;
}

async function form(nodes: readonly RedisServer[], masters: number): Promise<void> {
  const ids = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'MYID')));
  // Before they meet: else they would first have to settle which of two equal epochs counts.
  await Promise.all(nodes.map((node, i) => node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))));
  const [first, ...others] = nodes;
  const bus = await first?.cli('CONFIG', 'GET', 'cluster-port');
  for (const node of others) {
    await node.cli('CLUSTER', 'MEET', HOST, String(first?.port), bus?.split('\n')[1] ?? '');
  }
  await Promise.all(
    nodes.map(async (node, i) => {
      const range = ['CLUSTER', 'ADDSLOTSRANGE', slotAt(i, masters), `${Number(slotAt(i + 1, masters)) - 1}`];
      if (i < masters) await node.cli(...range);
    }),
  );
  await Promise.all(
    nodes.slice(masters).map(async (replica, i) => {
      const master = ids[i % masters] ?? '';
      await until(async () => (await replica.cli('CLUSTER', 'NODES')).includes(master));
      await replica.cli('CLUSTER', 'REPLICATE', master);
    }),
  );
}

const slotAt = (i: number, masters: number): string => String(Math.floor((i * SLOTS) / masters));

/** @param running ports of the nodes that run: who died just now may still count as serving its slots */
async function isHealthy(node: RedisServer, running: readonly number[]): Promise<boolean> {
  const info = await node.cli('CLUSTER', 'INFO');
  const replication = await node.cli('INFO', 'replication');
  const nodes = (await node.cli('CLUSTER', 'NODES')).split('\n');
  const alive = nodes.filter((line) => running.includes(portOf(line)));
  // What clients are told leaves out a replica that was not heard of as one yet.
  const told = await node.cli('CLUSTER', 'SLOTS');
  return (
    info.includes('cluster_state:ok') &&
    info.includes(`cluster_slots_ok:${SLOTS}`) &&
    alive.length === running.length &&
    alive.every((line) => told.includes(line.split(' ')[0] ?? '')) &&
    nodes.filter((line) => servedBy(line).length > 0).every((line) => running.includes(portOf(line))) &&
    (!replication.includes('role:slave') || replication.includes('master_link_status:up'))
  );
}

/** The ranges of slots in a line of `CLUSTER NODES`. */
function servedBy(line: string): [number, number][] {
  if (!/\bmaster\b/.test(line) || /\bfail\b/.test(line)) return [];
  return line
    .split(' ')
    .slice(8)
    .filter((range) => !range.startsWith('['))
    .map((range) => {
      const [first = '', last = first] = range.split('-');
      return [Number(first), Number(last)];
    });
}

const portOf = (line: string): number => Number(/ [^ ]*:(\d+)@/.exec(line)?.[1]);

/** There is no event to wait for: a cluster's state is asked for. */
async function until(settled: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await settled())) {
    if (Date.now() > deadline) throw new Error('The cluster did not settle within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
