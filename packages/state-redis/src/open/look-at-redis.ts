import type { EpochMillis, Millis } from '@tandem/core';
import { Keys } from '../keys';
import { PROOFS } from '../registry/commit';
import { readFacts, readMasters, type ServerFacts } from './facts';
import { type ProbeSettings, probe } from './probe';
import { reasonOf } from './reasons';

/** How many times it is asked for the shortest answer. */
const PINGS = 5;

export interface RedisLook {
  /** Of the first node that answers. */
  readonly facts: ServerFacts;
  /** `host:port` of each that takes writes. */
  readonly masters: readonly string[];
  /** How long the quickest of some answers took. */
  readonly roundTrip: Millis;
  /** Its clock less ours. */
  readonly clockAhead: Millis;
}

/**
 * One look at Redis that changes nothing there, for whoever wants to know and not to serve.
 * @throws Error that says in one line, without a secret, why it cannot be looked at
 */
export async function lookAtRedis(settings: ProbeSettings): Promise<RedisLook> {
  const reasons: string[] = [];
  for (const node of settings.address.nodes) {
    try {
      return await probe(settings, node, async (call) => {
        const facts = await readFacts(call, node);
        const masters = facts.cluster ? await readMasters(call, node) : [node];
        let roundTrip = Number.POSITIVE_INFINITY;
        for (let ping = 0; ping < PINGS; ping++) {
          const began = performance.now();
          await call('PING');
          roundTrip = Math.min(roundTrip, performance.now() - began);
        }
        return {
          facts,
          masters: masters.map(({ host, port }) => `${host}:${port}`),
          roundTrip,
          clockAhead: timeOf(await call('TIME')) - Date.now(),
        };
      });
    } catch (error) {
      reasons.push(reasonOf(error, node, settings.address));
    }
  }
  throw new Error(reasons.join('; '));
}

/**
 * The proofs of the keys that secrets of a store are sealed with, as `keysInUse` takes them.
 * @returns undefined where nothing is sealed
 * @throws Error that says in one line, without a secret, why they cannot be read
 */
export async function storedKeyProofs(
  settings: ProbeSettings & { readonly prefix: string },
): Promise<string | undefined> {
  const key = new Keys(settings.prefix).registry('meta');
  const [first] = settings.address.nodes;
  if (!first) return undefined;
  try {
    const masters = await probe(settings, first, async (call) =>
      (await readFacts(call, first)).cluster ? readMasters(call, first) : [first],
    );
    for (const master of masters) {
      const reply = await probe(settings, master, (call) => call('HGET', key, PROOFS).catch(unlessMoved));
      if (typeof reply === 'string') return reply;
    }
    return undefined;
  } catch (error) {
    throw new Error(reasonOf(error, first, settings.address));
  }
}

/** Another master of the Cluster has it. */
function unlessMoved(error: unknown): undefined {
  if (!(error instanceof Error && error.message.startsWith('MOVED '))) throw error;
}

/** Of `TIME`: seconds, and microseconds. */
function timeOf(reply: unknown): EpochMillis {
  const [seconds, micros] = Array.isArray(reply) ? reply.map(Number) : [];
  return (seconds ?? Number.NaN) * 1_000 + (micros ?? 0) / 1_000;
}
