import { setTimeout as delay } from 'node:timers/promises';
import type { Fault as FaultOf } from './round';
import type { World } from './world';

/** One that needs a store of this kind. */
export interface Fault extends FaultOf<World> {
  readonly store: 'standalone' | 'cluster';
}

/** How long a killed Redis stays away: longer than a gateway waits for an answer, so that it has to say so. */
const AWAY = 3_000;
const DEATHS = 5;
const BETWEEN_DEATHS = 500;
const DROPS = 5;
const BETWEEN_DROPS = 200;

const gatewayKilled: Fault = {
  name: 'kill -9 of a gateway',
  store: 'standalone',
  notReady: false,
  async inject(world, round, replaced) {
    const index = round % 2 === 0 ? 0 : 1;
    await world.replaceGateway(index);
    replaced(index);
  },
};

const redisKilled: Fault = {
  name: 'kill -9 of Redis (appendfsync always)',
  store: 'standalone',
  notReady: true,
  async inject({ server }) {
    await server.kill9();
    await delay(AWAY);
    await server.restart();
  },
};

/**
 * Within the time that a gateway waits for an answer: what Redis had answered and nobody has heard is asked again. Whether it dies with
 * something of the kind is luck, so this is not part of the short form: redis-death.test.ts of the store chooses the moment.
 */
export const redisBackAtOnce: Fault = {
  name: 'kill -9 of Redis that is back at once',
  store: 'standalone',
  notReady: false,
  async inject({ server }) {
    for (let n = 0; n < DEATHS; n++) {
      await server.kill9();
      await server.restart();
      await delay(BETWEEN_DEATHS);
    }
  },
};

/** @param length milliseconds */
const redisPaused = (length: number): Fault => ({
  name: `SIGSTOP of Redis for ${length / 1000} s`,
  store: 'standalone',
  notReady: true,
  async inject({ server }) {
    server.pause();
    await delay(length);
    server.resume();
  },
});

const subscriptionsDropped: Fault = {
  name: 'pub/sub connections dropped',
  store: 'standalone',
  notReady: false,
  async inject({ server }) {
    for (let n = 0; n < DROPS; n++) {
      await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await delay(BETWEEN_DROPS);
    }
  },
};

const masterKilled: Fault = {
  name: 'kill -9 of a Cluster master (WAIT 1)',
  store: 'cluster',
  notReady: true,
  async inject({ clusterNodes }, round) {
    const dead = await clusterNodes.killMaster(`tandem:telemetry:{${round % 3}}`);
    await clusterNodes.healthy();
    await dead.restart();
    await clusterNodes.healthy();
  },
};

export const faults = (pause: number): readonly Fault[] => [
  gatewayKilled,
  redisKilled,
  redisPaused(pause),
  subscriptionsDropped,
  masterKilled,
];
