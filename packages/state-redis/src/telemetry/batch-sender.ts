import type { Millis } from '@tandem/core';
import calculateSlot from 'cluster-key-slot';
import { Cluster, type Redis } from 'ioredis';
import { loadScript } from '../client';

const APPEND = loadScript('telemetry-append');

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
  #source = false;
  #scheduled = false;

  /** @param client of its own where replicas are waited for */
  constructor(
    private readonly client: Redis | Cluster,
    private readonly waitReplicas: number,
    private readonly timeout: Millis,
  ) {}

  /** @param keys of one slot */
  send(keys: readonly string[], args: readonly (string | number)[]): Promise<AppendReply> {
    return new Promise((resolve, reject) => {
      const node = this.#nodeOf(keys[0] ?? '');
      let lane = this.#lanes.get(node);
      if (!lane) {
        lane = { waiting: [], busy: false };
        this.#lanes.set(node, lane);
      }
      lane.waiting.push({ keys, args, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        for (const [name, each] of this.#lanes) this.#go(name, each);
      });
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
        for (const { reject } of requests) reject(error);
      })
      .finally(() => {
        lane.busy = false;
        if (lane.waiting.length === 0) this.#lanes.delete(name);
        else this.#go(name, lane);
      });
  }

  async #exchange(requests: readonly Request[]): Promise<void> {
    const pipeline = this.client.pipeline();
    const command = this.#source ? 'eval' : 'evalsha';
    const script = this.#source ? APPEND.source : APPEND.sha;
    this.#source = false;
    for (const { keys, args } of requests) pipeline[command](script, keys.length, ...keys, ...args);
    if (this.waitReplicas > 0) pipeline.wait(this.waitReplicas, Math.max(1, Math.floor(this.timeout / 4)));
    const results = (await pipeline.exec()) ?? [];
    const replicas = this.waitReplicas > 0 ? this.#replicated(results[requests.length]) : undefined;
    for (const [n, { resolve, reject }] of requests.entries()) {
      const [error, reply] = results[n] ?? [new Error('Connection is closed')];
      if (error) this.#failed(error, reject);
      else if (replicas) reject(replicas);
      else resolve(reply as AppendReply);
    }
  }

  #replicated([error, count]: [Error | null, unknown] = [new Error('Connection is closed'), 0]): Error | undefined {
    if (error) return error;
    if (Number(count) >= this.waitReplicas) return undefined;
    return new TooFewReplicasError(`Only ${count} of ${this.waitReplicas} replicas have the messages`);
  }

  #failed(error: Error, reject: (error: unknown) => void): void {
    // The next pipeline brings the script along; whoever sent this one sends it again.
    if (isUnknownScript(error)) this.#source = true;
    // ioredis follows a slot by itself only where a whole pipeline is sent on.
    if (error.message.startsWith('MOVED') && this.client instanceof Cluster) this.client.refreshSlotsCache();
    reject(error);
  }
}

export const isUnknownScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT');
