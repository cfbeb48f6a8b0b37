import type { Clock, Logger, Millis } from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';
import { readFacts, readMasters, type ServerFacts } from './facts';
import { type Node, type ProbeSettings, probe } from './probe';
import { NotYetError, reasonOf } from './reasons';
import { Recheck } from './recheck';
import { RedisRefusedError } from './refused-error';
import { type Rights, tryRights } from './rights';
import { type Demands, judge } from './verdict';

/** Between two attempts. */
const PAUSE: Millis = 500;
/** A reason that stays the same is said again after this long. */
const SAY_AGAIN: Millis = 10_000;

export interface AwaitRedisOptions extends ProbeSettings, Demands, Rights {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears why Redis cannot be used yet, at every attempt that fails. */
  readonly onWaiting?: (reason: string) => void;
}

/** A Redis that is up and fit. */
export interface FoundRedis {
  readonly cluster: boolean;
  /**
   * Looks at every server again that `client` connects to from now on, and at all of them now and then. What is wrong becomes a line in the log: an error
   * where a start would be refused.
   * @returns ends that
   */
  watch(client: Redis | Cluster): () => void;
}

/**
 * Resolves when Redis is there, takes commands and is fit to hold the state. As long as it is not there it is tried
 * again, and the log says why; a Cluster counts as there when it serves all its slots.
 * @throws RedisRefusedError when it must not be used; the reason of `signal` when that is aborted
 */
export async function awaitRedis(options: AwaitRedisOptions): Promise<FoundRedis> {
  const { clock, logger, signal } = options;
  const began = clock.monotonic();
  let said: { readonly reason: string; readonly at: number } | undefined;
  for (;;) {
    const outcome = await attempt(options);
    if (typeof outcome !== 'string') {
      if (said) logger.info('Redis answers', { waitedMillis: Math.round(clock.monotonic() - began) });
      const recheck = new Recheck(options);
      return { cluster: accept(outcome, options, recheck), watch: (client) => recheck.watch(client) };
    }
    options.onWaiting?.(outcome);
    if (said === undefined || kindOf(said.reason) !== kindOf(outcome) || clock.monotonic() - said.at >= SAY_AGAIN) {
      logger.error('Redis cannot be used yet; trying on', { reason: outcome });
      said = { reason: outcome, at: clock.monotonic() };
    }
    await pause(clock, signal);
  }
}

/** What counts up while the reason stays the same, as the percentage of what is loaded, makes no line new. */
const kindOf = (reason: string): string => reason.replace(/\([\d.]+ %\)/g, '');

/** The servers that would be written to; or why they cannot be used yet. */
async function attempt(options: AwaitRedisOptions): Promise<readonly ServerFacts[] | string> {
  const reasons: string[] = [];
  for (const node of options.address.nodes) {
    try {
      return await lookAt(options, node);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof RedisRefusedError) throw error;
      reasons.push(reasonOf(error, node, options.address));
    }
  }
  return reasons.join('; ');
}

async function lookAt(options: AwaitRedisOptions, node: Node): Promise<readonly ServerFacts[]> {
  const [facts, masters] = await probe(options, node, async (call) => {
    const found = await readFacts(call, node);
    if (!found.cluster) await selectDatabase(options, call);
    const masters = found.cluster ? await readMasters(call, node) : [node];
    if (!found.cluster && found.master) await tryRights(call, node, false, options);
    return [found, masters] as const;
  });
  if (!facts.cluster) {
    if (!facts.master) throw new NotYetError(`${facts.where} is a replica, which takes no writes (REDIS_URL)`);
    return [facts];
  }
  return Promise.all(
    masters.map(async (master) => {
      try {
        return await probe(options, master, async (call) => {
          const found = await readFacts(call, master);
          await tryRights(call, master, true, options);
          return found;
        });
      } catch (error) {
        throw new NotYetError(reasonOf(error, master, options.address), { cause: error });
      }
    }),
  );
}

/** @throws RedisRefusedError */
async function selectDatabase({ address }: AwaitRedisOptions, call: (...args: [string, string]) => Promise<unknown>) {
  if (address.database === 0) return;
  try {
    await call('SELECT', String(address.database));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('out of range')) throw error;
    throw new RedisRefusedError(`Redis has no database ${address.database} (REDIS_URL)`);
  }
}

/** @returns whether it is a Cluster. @throws RedisRefusedError */
function accept(found: readonly ServerFacts[], options: AwaitRedisOptions, recheck: Recheck): boolean {
  const { address } = options;
  const refused = found.flatMap((facts) => judge(facts, options).refused);
  const cluster = found.some((facts) => facts.cluster);
  if (cluster && address.database !== 0) {
    refused.push(`A Redis Cluster has no database but 0, and not ${address.database} (REDIS_URL)`);
  }
  const [first] = found;
  if (!cluster && address.nodes.length > 1 && first) {
    refused.push(`Several nodes are named, but Redis at ${first.where} is no Cluster (REDIS_URL)`);
  }
  if (refused.length > 0) throw new RedisRefusedError(refused.join('; '));
  for (const facts of found) recheck.warn(judge(facts, options));
  return cluster;
}

function pause(clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(PAUSE, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
