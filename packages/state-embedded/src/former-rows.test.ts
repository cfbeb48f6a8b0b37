import { rm } from 'node:fs/promises';
import { credentialsHash, type State } from '@tandem/core';
import { describeFormerRecords, FORMER, sealingBox } from '@tandem/core/testing';
import { indexKey } from './entity-rows';
import { closeEnvironment, openEnvironment } from './environment';
import { openEmbeddedState } from './index';
import { offsetBytes, uuidBytes } from './keys';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

async function writeFormerRows(folder: string): Promise<void> {
  const env = openEnvironment(folder);
  const { tenant, user, profile, device, credentials, rpcs } = FORMER;
  await env.root.transaction(() => {
    env.tenants.put(tenant.id, JSON.stringify(tenant));
    env.users.put(user.id, JSON.stringify(user));
    env.usersByEmail.put(user.email, user.id);
    env.profiles.put(profile.id, JSON.stringify(profile));
    env.profilesByName.put(indexKey(profile), profile.id);
    env.defaultProfiles.put(tenant.id, profile.id);
    env.devices.put(device.id, JSON.stringify(device));
    env.devicesByName.put(indexKey(device), device.id);
    env.devicesByProfile.put(Buffer.concat([uuidBytes(profile.id), uuidBytes(device.id)]), device.id);
    env.credentials.put(device.id, JSON.stringify(credentials));
    env.credentialsByHash.put(credentialsHash(credentials.credentialsId), device.id);
    env.eventHeads.put(device.id, 'epoch 0 0');
    env.rpcCounters.put(device.id, String(rpcs.length));
    for (const rpc of rpcs) {
      const key = Buffer.concat([uuidBytes(device.id), offsetBytes(rpc.requestId)]);
      env.rpcs.put(rpc.id, JSON.stringify(rpc));
      env.rpcsByDevice.put(key, rpc.id);
      if (rpc.status === 'SUCCESSFUL') continue;
      env.rpcsOpen.put(key, rpc.id);
      env.rpcExpiry.put([rpc.expirationTime, rpc.id], '');
    }
  });
  await closeEnvironment(env);
}

describe('A data folder of an earlier version', () => {
  let folder: string;
  let state: State | undefined;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await writeFormerRows(folder);
  });
  afterEach(async () => {
    await state?.close();
    await rm(folder, { recursive: true });
  });

  describeFormerRecords(async () => {
    state = await openEmbeddedState(optionsFor(folder));
    return state;
  });

  it('is brought into it sealed, where there is a key', async () => {
    state = await openEmbeddedState(optionsFor(folder, { secretBox: sealingBox() }));
    // The device's: its record has the form of today already.
    expect(await state.sealSecrets()).toBe(1);
    const account = await state.accounts.findAccountByEmail(FORMER.user.email);
    expect(account?.credentials.passwordHash).toBe(FORMER.user.passwordHash);
    await state.close();
    state = undefined;
    const env = openEnvironment(folder);
    const tables = [env.users, env.userCredentials, env.profiles, env.profileData, env.credentials];
    const texts = tables.flatMap((table) => [...table.getRange().map(({ value }) => value)]);
    await closeEnvironment(env);
    expect(texts).toHaveLength(5);
    expect(texts.join()).not.toMatch(/scrypt|former token|PROTOBUF/);
  });

  it('is brought into the form of today once, with nothing left of the former one', async () => {
    for (let times = 0; times < 2; times++) await (await openEmbeddedState(optionsFor(folder))).close();
    state = undefined;
    const env = openEnvironment(folder);
    const texts = [env.users, env.profiles].flatMap((table) => [...table.getRange().map(({ value }) => value)]);
    const credentials = env.userCredentials.getKeysCount();
    await closeEnvironment(env);
    expect(texts.join()).not.toMatch(/passwordHash|profileData/);
    expect(credentials).toBe(1);
  });
});
