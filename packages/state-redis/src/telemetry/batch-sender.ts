import type { Millis } from '@tandem/core';
import calculateSlot from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { isMisrouted, loadScript } from '../client';

const APPEND = loadScript('telemetry-append');

/** What goes wrong with a pipeline, a script that the node does not know too, is known only when its WAIT is over. */
const LONGEST_WAIT: Millis = 1_000;

export type AppendOutcome = 'appended' | 'settled' | 'full';
/** As telemetry-append.lua answers. */
export type AppendReply = readonly [outcome: AppendOutcome, newestId: string, length: number];

/** It was written, but too few replicas said so in time. */
export class TooFewReplicasError extends Error {
  override readonly name = 'TooFewReplicasError';
}

interface Request {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  readonly resolve: (reply: AppendReply) => void;
  readonly reject: (error: unknown) => void;
  /** Whether the script itself goes along: the node does not know it. */
  source: boolean;
}

/** What goes to one node. */
interface Lane {
  waiting: Request[];
  busy: boolean;
}

/**
 * Calls telemetry-append.lua: the calls of one turn as one pipeline for each node, with one WAIT behind them where replicas
 * have to have them. A WAIT holds up what comes behind it on its connection, so the next pipeline of a node gathers until
 * then.
 */
export class BatchSender {
  readonly #lanes = new Map<string, Lane>();
  #scheduled = false;

  /** @param client of its own where replicas are waited for */
  constructor(
    private readonly client: Redis | Cluster,
    private readonly waitReplicas: number,
    private readonly timeout: Millis,
  ) {}

  /** @param keys of one slot */
  send(keys: readonly string[], args: readonly (string | number)[]): Promise<AppendReply> {
    return new Promise((resolve, reject) => this.#enqueue({ keys, args, resolve, reject, source: false }));
  }

  #enqueue(request: Request): void {
    const node = this.#nodeOf(request.keys[0] ?? '');
    let lane = this.#lanes.get(node);
    if (!lane) {
      lane = { waiting: [], busy: false };
      this.#lanes.set(node, lane);
    }
    lane.waiting.push(request);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const [name, each] of this.#lanes) this.#go(name, each);
    });
  }

  #nodeOf(key: string): string {
    return this.client instanceof Cluster ? (this.client.slots[calculateSlot(key)]?.join() ?? '') : '';
  }

  #go(name: string, lane: Lane): void {
    if (lane.busy || lane.waiting.length === 0) return;
    const requests = lane.waiting;
    lane.waiting = [];
    lane.busy = this.waitReplicas > 0;
    this.#exchange(requests)
      .catch((error: unknown) => {
        // The slots have moved between queueing and sending: whoever sends again is given the right node.
        if (isMisrouted(error) && this.client instanceof Cluster) this.client.refreshSlotsCache();
        for (const { reject } of requests) reject(error);
      })
      .finally(() => {
        lane.busy = false;
        if (lane.waiting.length > 0) this.#go(name, lane);
        else if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
      });
  }

  async #exchange(requests: readonly Request[]): Promise<void> {
    const pipeline = this.client.pipeline();
    for (const { keys, args, source } of requests) {
      if (source) pipeline.eval(APPEND.source, keys.length, ...keys, ...args);
      else pipeline.evalsha(APPEND.sha, keys.length, ...keys, ...args);
    }
    if (this.waitReplicas > 0) pipeline.wait(this.waitReplicas, Math.ceil(Math.min(this.timeout / 4, LONGEST_WAIT)));
    const results = (await pipeline.exec()) ?? [];
    const replicas = this.waitReplicas > 0 ? this.#replicated(results[requests.length]) : undefined;
    for (const [n, request] of requests.entries()) {
      const [error, reply] = results[n] ?? [new Error('Connection is closed')];
      if (error) this.#failed(error, request);
      else if (replicas) request.reject(replicas);
      else request.resolve(reply as AppendReply);
    }
  }

  #replicated([error, count]: [Error | null, unknown] = [new Error('Connection is closed'), 0]): Error | undefined {
    if (error) return error;
    if (Number(count) >= this.waitReplicas) return undefined;
    return new TooFewReplicasError(`Only ${count} of ${this.waitReplicas} replicas have the messages`);
  }

  #failed(error: Error, request: Request): void {
    if (error.message.startsWith('NOSCRIPT') && !request.source) {
      request.source = true;
      this.#enqueue(request);
      return;
    }
    // ioredis follows a slot by itself only where a whole pipeline is sent on.
    if (isMisrouted(error) && this.client instanceof Cluster) this.client.refreshSlotsCache();
    request.reject(error);
  }
}
