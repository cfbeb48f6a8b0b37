import { type RedisServer, startRedis } from '../../../packages/state-redis/src/testing/redis-server';
import { type Environment, GatewayProcess } from '../../support/gateway-process';

/** The door that is in a process of its own, where there are two. */
export type Door = 'http' | 'coap';

/** Where the state is, and in how many processes the gateway is. */
export interface Store {
  readonly name: string;
  /** To be called before and after all vectors of a file. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** A gateway that knows nothing yet. */
  start(settings: Environment, apart: Door): Promise<Gateway>;
}

export interface Gateway {
  readonly http: GatewayProcess;
  readonly coap: GatewayProcess;
  readonly api: GatewayProcess;
}

export const EMBEDDED: Store = {
  name: 'the embedded store',
  async open() {},
  async close() {},
  async start(settings) {
    const process = await GatewayProcess.start(settings);
    return { http: process, coap: process, api: process };
  },
};

/** Two processes, so that events cross from one to the other. */
export function redisStore(): Store {
  let redis: RedisServer;
  let started = 0;
  return {
    name: 'Redis, two processes',
    async open() {
      redis = await startRedis();
    },
    async close() {
      await redis?.stop();
    },
    async start(settings, apart) {
      const other: Door = apart === 'http' ? 'coap' : 'http';
      const shared = { ...settings, REDIS_URL: redis.url, TANDEM_REDIS_PREFIX: `vectors${++started}` };
      const [alone, both] = await Promise.all(
        [apart, `${other},api`].map((roles) => GatewayProcess.start({ ...shared, TANDEM_ROLES: roles })),
      );
      if (!alone || !both) throw new Error('two processes');
      return apart === 'http' ? { http: alone, coap: both, api: both } : { http: both, coap: alone, api: both };
    },
  };
}
