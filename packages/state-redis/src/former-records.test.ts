import { credentialsHash, type State } from '@tandem/core';
import { describeFormerRecords, FORMER, sealingBox } from '@tandem/core/testing';
import { Redis } from 'ioredis';
import { openRedisState } from './index';
import { Keys } from './keys';
import { type RedisServer, startRedis } from './testing/redis-server';
import { optionsFor } from './testing/redis-store';

async function writeFormerRecords(client: Redis, keys: Keys): Promise<void> {
  const { tenant, user, profile, device, credentials, rpcs } = FORMER;
  const registry = (table: string, field: string, text: string) => client.hset(keys.registry(table), field, text);
  const { isDefault: _, ...profileRecord } = profile;
  const { type: __, ...deviceRecord } = device;
  await registry('tenants', tenant.id, JSON.stringify(tenant));
  await registry('users', user.id, JSON.stringify(user));
  await registry('users-by-email', user.email, user.id);
  await registry('profiles', profile.id, `${tenant.id} ${JSON.stringify(profileRecord)}`);
  await registry('profile-names', `${tenant.id} ${profile.name}`, profile.id);
  await registry('default-profiles', tenant.id, profile.id);
  await registry('profile-uses', profile.id, '1');
  await registry('devices', device.id, `${profile.id} ${JSON.stringify(deviceRecord)}`);
  await registry('device-names', `${tenant.id} ${device.name}`, device.id);
  await registry('credentials', device.id, JSON.stringify(credentials));
  await registry('credentials-by-hash', credentialsHash(credentials.credentialsId), device.id);
  await registry('epochs', device.id, 'epoch');
  const key = (what: string) => keys.device(device.id, what);
  await client.hset(key('log'), { epoch: 'epoch', 'rpc-counter': rpcs.length });
  for (const rpc of rpcs) {
    const { requestId, status, attempts, response: ___, responseIsJson, heldUntil, ...base } = rpc;
    await client.hset(key(`rpc:${rpc.id}`), {
      base: JSON.stringify(base),
      requestId,
      status,
      attempts,
      responseIsJson: Number(responseIsJson),
      heldUntil,
      oneway: Number(rpc.oneway),
      persistent: Number(rpc.persistent),
      registration: `call${requestId}`,
      expires: rpc.expirationTime,
      changedBy: '',
      heldBy: '',
    });
    await client.zadd(key('rpcs'), requestId, rpc.id);
    await client.hset(keys.rpcs('devices'), rpc.id, `${device.id} call${requestId} ${rpc.createdTime}`);
    if (status === 'SUCCESSFUL') continue;
    await client.zadd(key('rpcs-open'), rpc.expirationTime, rpc.id);
    await client.zadd(key('rpcs-pending'), rpc.expirationTime, rpc.id);
    await client.zadd(keys.rpcs('expiry'), rpc.expirationTime, rpc.id);
  }
}

describe('A Redis of an earlier version', () => {
  let redis: RedisServer;
  let state: State | undefined;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(() => state?.close());
  afterAll(() => redis.stop());

  describeFormerRecords(async () => {
    const options = optionsFor(redis.address);
    const client = new Redis(redis.url);
    await writeFormerRecords(client, new Keys(options.prefix));
    client.disconnect();
    state = await openRedisState(options);
    return state;
  });

  it('has none of its secrets in clear any more when they were sealed', async () => {
    const options = optionsFor(redis.address, { secretBox: sealingBox() });
    const [client, keys] = [new Redis(redis.url), new Keys(options.prefix)];
    await writeFormerRecords(client, keys);
    state = await openRedisState(options);
    // The user's, the profile's, the device's.
    expect(await state.sealSecrets()).toBe(3);
    const tables = ['users', 'user-credentials', 'profiles', 'profile-data', 'credentials'];
    const texts = await Promise.all(tables.map((table) => client.hvals(keys.registry(table))));
    client.disconnect();
    expect(texts.map((rows) => rows.length)).toEqual([1, 1, 1, 1, 1]);
    expect(texts.join()).not.toMatch(/scrypt|passwordHash|profileData|former token/);
    const account = await state.accounts.findAccountByEmail(FORMER.user.email);
    expect(account?.credentials.passwordHash).toBe(FORMER.user.passwordHash);
    const profile = await state.devices.getProfile(FORMER.profile.id);
    expect(profile?.profileData).toBe(JSON.stringify(FORMER.profile.profileData));
  });
});
