import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type GatewayUnderTest, startGateway } from '../servers/gateway';
import type { RedisProcess } from './redis-process';

export interface FleetOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly redis: RedisProcess;
  readonly devices: number;
}

/** One process of each role over one Redis, as docker-compose.yml starts them. */
export interface Fleet {
  readonly api: GatewayUnderTest;
  readonly http: GatewayUnderTest;
  readonly coap: GatewayUnderTest;
  stop(): Promise<void>;
}

export async function startFleet({ command, folder, redis, devices }: FleetOptions): Promise<Fleet> {
  const started: GatewayUnderTest[] = [];
  const start = async (role: 'api' | 'http' | 'coap'): Promise<GatewayUnderTest> => {
    const home = path.join(folder, role);
    mkdirSync(home);
    const gateway = await startGateway({
      protocol: role === 'coap' ? 'coap' : 'http',
      command,
      folder: home,
      devices,
      devicesExist: role !== 'api',
      core: undefined,
      env: { REDIS_URL: redis.url, TANDEM_ROLES: role },
    });
    started.push(gateway);
    return gateway;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((gateway) => gateway.stop()));
  };
  try {
    return { api: await start('api'), http: await start('http'), coap: await start('coap'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
