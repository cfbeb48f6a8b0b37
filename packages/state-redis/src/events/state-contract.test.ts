import type { MakeStore } from '@tandem/core/testing';
import { describeAttributeStoreContract } from '../../../core/src/testing/attribute-store-contract';
import { describeDeviceEventsContract } from '../../../core/src/testing/device-events-contract';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { EventProcess, type EventProcessOptions } from './testing/event-process';

let stores = 0;

const makerOf =
  (started: () => RedisServer | RedisCluster, options: EventProcessOptions): MakeStore =>
  async (limits = {}) => {
    const given = { ...options, eventLogMax: limits.eventLogMax, prefix: `contract-${++stores}` };
    let open = await EventProcess.start(started().address, given);
    return {
      state: open.state,
      async reopen() {
        await open.close();
        open = await EventProcess.start(started().address, given);
        return open.state;
      },
      destroy: () => open.close(),
    };
  };

describe('On one server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  const make = makerOf(() => server, {});
  describeAttributeStoreContract(make);
  describeDeviceEventsContract(make);
});

describe('On a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());
  const make = makerOf(() => cluster, { cluster: true });
  describeAttributeStoreContract(make);
  describeDeviceEventsContract(make);
});
