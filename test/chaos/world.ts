import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import { type RedisCluster, startRedisCluster } from '../../packages/state-redis/src/testing/redis-cluster';
import { type RedisServer, startRedis } from '../../packages/state-redis/src/testing/redis-server';
import { type Environment, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import type { ChaosDevice, ProcessUnderTest, Site } from './site';

/** Short, so that a fault is over soon; what is promised does not depend on them. */
const SETTINGS: Environment = {
  TANDEM_REDIS_TIMEOUT: '2000',
  TANDEM_REDIS_REREAD_INTERVAL: '3000',
  TANDEM_TELEMETRY_PARTITIONS: '4',
  COAP_TIMEOUT: '3000',
  MIN_SERVER_SIDE_RPC_TIMEOUT: '1000',
};

/** Two gateways with all roles over one Redis, or one Redis Cluster. */
export class World implements Site {
  readonly partitions = Number(SETTINGS.TANDEM_TELEMETRY_PARTITIONS);

  private constructor(
    readonly redis: RedisServer | RedisCluster,
    readonly gateways: [GatewayProcess, GatewayProcess],
    private readonly settings: Environment,
    private readonly login: ServerClient,
  ) {}

  /** Every write is on the disk before it is answered: what is killed comes back with all of it. */
  static async standalone(): Promise<World> {
    return World.#over(await startRedis({ appendonly: 'always', onDisk: true }), {});
  }

  static async cluster(): Promise<World> {
    return World.#over(await startRedisCluster({ nodeTimeout: 1_000 }), { TANDEM_REDIS_WAIT_REPLICAS: '1' });
  }

  static async #over(redis: RedisServer | RedisCluster, more: Environment): Promise<World> {
    const settings = { ...SETTINGS, ...more, REDIS_URL: redis.url };
    const gateways = await Promise.all([GatewayProcess.start(settings), GatewayProcess.start(settings)]);
    return new World(redis, gateways, settings, await ServerClient.login(gateways[0].http));
  }

  get processes(): readonly ProcessUnderTest[] {
    return this.gateways.map(({ metrics, running }, index) => ({ name: `gateway ${index}`, metrics, died: !running }));
  }

  async connectToStore(): Promise<Redis | Cluster> {
    return 'nodes' in this.redis
      ? new Cluster([...this.redis.address.nodes], { clusterRetryStrategy: () => 100, slotsRefreshInterval: 1_000 })
      : new Redis({ port: this.redis.port, maxRetriesPerRequest: null });
  }

  get server(): RedisServer {
    if ('nodes' in this.redis) throw new Error('this world has a Cluster');
    return this.redis;
  }

  get clusterNodes(): RedisCluster {
    if (!('nodes' in this.redis)) throw new Error('this world has no Cluster');
    return this.redis;
  }

  /** One login is good at every gateway. */
  client(index: 0 | 1): ServerClient {
    return this.login.at(this.gateways[index].http);
  }

  async createDevices(count: number, generation: string): Promise<ChaosDevice[]> {
    const client = this.client(0);
    const devices: ChaosDevice[] = [];
    for (let n = 0; n < count; n++) {
      const token = `chaos-${generation}-${n}`;
      devices.push({ id: await client.createDevice(token), token });
    }
    return devices;
  }

  /** Ends a gateway without a word and starts it again at the same ports. */
  async replaceGateway(index: 0 | 1): Promise<void> {
    const { http, coap, folder } = this.gateways[index];
    await this.gateways[index].stop('SIGKILL');
    await delay(500);
    const ports = { HTTP_BIND_PORT: String(http), COAP_BIND_PORT: String(coap) };
    this.gateways[index] = await GatewayProcess.start({ ...this.settings, ...ports }, folder);
  }

  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((gateway) => gateway.stop()));
    await this.redis.stop();
  }
}
