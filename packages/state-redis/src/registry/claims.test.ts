import { createHash, randomUUID } from 'node:crypto';
import { Claiming, type ClaimingPorts, type ClaimingUser, MetricsRegistry, silentLogger } from '@tandem/core';
import { aDevice, aProfile, CREATED, credentialsOf, FakeClock } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');
const secretHash = createHash('sha256').update('k').digest('hex');

describe('A device that two processes are asked for at once', () => {
  let server: RedisServer;
  let one: RegistryProcess;
  let other: RegistryProcess;
  beforeAll(async () => {
    server = await startRedis();
    [one, other] = (await Promise.all(['one', 'other'].map((name) => RegistryProcess.start(server, keys, name)))) as [
      RegistryProcess,
      RegistryProcess,
    ];
  });
  afterAll(async () => {
    await Promise.all([one.close(), other.close()]);
    await server.stop();
  });

  /** @param costs gets what is counted */
  function claimingOf(ports: Pick<ClaimingPorts, 'claims' | 'devices'>, costs: number[]): Claiming {
    const rateCounters: ClaimingPorts['rateCounters'] = {
      take: async (_owner, demands) => {
        costs.push(...demands.map(({ cost }) => cost));
        return { ok: true };
      },
    };
    const attributes = { read: async () => [], delete: async () => [], saveFromServer: async () => {} };
    const settings = { duration: 1_000, allowedByDefault: true, failures: [{ count: 3, seconds: 60 }] };
    const metrics = new MetricsRegistry();
    const limits = { take: async () => {} };
    const all = { ...ports, rateCounters };
    return new Claiming(all, attributes, settings, new FakeClock(), silentLogger, metrics, limits);
  }

  it('goes to one, and who comes too late is told that it is claimed, which counts as no failure', async () => {
    const profile = aProfile();
    const device = aDevice(profile);
    await one.registry.devices.createProfile(profile);
    await one.registry.devices.createDevice(device, credentialsOf(device));
    await one.registry.claims.register(device.id, { secretHash, expirationTime: CREATED + 1e12 }, CREATED);
    const user = (): ClaimingUser => ({
      id: randomUUID(),
      tenantId: device.tenantId,
      customerId: randomUUID(),
      authority: 'CUSTOMER_USER',
    });
    const winner = claimingOf(one.registry, []);
    const { claims, devices } = other.registry;
    // The device is looked at before the winner has it, its claim afterwards.
    const late: typeof claims = {
      register: (...given) => claims.register(...given),
      discard: (...given) => claims.discard(...given),
      assign: (...given) => claims.assign(...given),
      get: async (id) => {
        expect(await winner.claim(user(), device.name, 'k')).toMatchObject({ response: 'SUCCESS' });
        return claims.get(id);
      },
    };
    const costs: number[] = [];
    const outcome = await claimingOf({ claims: late, devices }, costs).claim(user(), device.name, 'k');
    expect([outcome.response, costs]).toEqual(['CLAIMED', [1, -1]]);
  });
});
