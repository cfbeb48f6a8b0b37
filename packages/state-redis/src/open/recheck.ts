import type { Clock, Logger, Millis, RedisAddress, Timer } from '@tandem/core';
import { Cluster, type Redis } from 'ioredis';
import { readFacts } from './facts';
import { type Node, type ProbeSettings, probe } from './probe';
import { reasonOf } from './reasons';
import { type Demands, judge, type Verdict } from './verdict';

/** What a server is set to can change while it runs. */
const LOOK_AGAIN: Millis = 60_000;

interface RecheckOptions extends ProbeSettings, Demands {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks at servers again that were connected to again: a Redis can come back as another one than it was. */
export class Recheck {
  /** A warning is said once; as many as there are servers and things to warn of. */
  readonly #said = new Set<string>();

  constructor(private readonly options: RecheckOptions) {}

  warn({ warnings }: Verdict): void {
    for (const warning of warnings) {
      if (this.#said.has(warning)) continue;
      if (this.#said.size >= 1_000) this.#said.clear();
      this.#said.add(warning);
      this.options.logger.warn(warning);
    }
  }

  /** @returns ends it */
  watch(client: Redis | Cluster): () => void {
    const ended = new AbortController();
    const connected = (node: Node) => this.#look(node, ended.signal);
    if (client instanceof Cluster) watchNodes(client, connected, ended.signal);
    else watchServer(client, this.options.address, connected, ended.signal);
    this.#lookNowAndThen(() => mastersOf(client, this.options.address), ended.signal);
    return () => ended.abort();
  }

  #lookNowAndThen(nodes: () => readonly Node[], signal: AbortSignal): void {
    let timer: Timer | undefined;
    const later = () => {
      timer = this.options.clock.setTimer(LOOK_AGAIN, () => {
        for (const node of nodes()) this.#look(node, signal);
        later();
      });
    };
    later();
    signal.addEventListener('abort', () => timer?.cancel(), { once: true });
  }

  /** Never fails: a server that is away again is told of by the commands that fail. */
  #look(node: Node, signal: AbortSignal): void {
    const { logger, address } = this.options;
    probe({ ...this.options, signal }, node, (call) => readFacts(call, node)).then(
      (facts) => {
        const verdict = judge(facts, this.options);
        for (const reason of verdict.refused) logger.error('Redis is not fit to hold the state any more', { reason });
        this.warn(verdict);
      },
      (error: unknown) => {
        if (!signal.aborted)
          logger.warn('Redis could not be looked at again', { reason: reasonOf(error, node, address) });
      },
    );
  }
}

function watchServer(client: Redis, { nodes }: RedisAddress, connected: (node: Node) => void, end: AbortSignal): void {
  const ready = () => nodes[0] && connected(nodes[0]);
  client.on('ready', ready);
  end.addEventListener('abort', () => client.off('ready', ready));
}

function mastersOf(client: Redis | Cluster, { nodes }: RedisAddress): readonly Node[] {
  if (!(client instanceof Cluster)) return nodes.slice(0, 1);
  return client.nodes('master').map(({ options: { host = '', port = 0 } }) => ({ host, port }));
}

/** A Cluster tells of nodes it knows of; to be connected to one comes later, and perhaps never. */
function watchNodes(cluster: Cluster, connected: (node: Node) => void, end: AbortSignal): void {
  const added = (node: Redis) => {
    const { host = '', port = 0 } = node.options;
    node.on('ready', () => !end.aborted && connected({ host, port }));
  };
  for (const node of cluster.nodes()) added(node);
  cluster.on('+node', added);
  end.addEventListener('abort', () => cluster.off('+node', added));
}
