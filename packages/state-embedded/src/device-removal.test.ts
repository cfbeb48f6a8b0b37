import { rm } from 'node:fs/promises';
import { aCommand, aDevice, aMessage, aProfile, CREATED, credentialsOf, entriesOf } from '@tandem/core/testing';
import { closeEnvironment, type Environment, openEnvironment, openViewEnvironment } from './environment';
import { openEmbeddedState } from './index';
import { uuidBytes } from './keys';
import { openLog } from './log-environment';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

describe('Deleting a device of the embedded store', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('leaves no row of it in any table', async () => {
    const state = await openEmbeddedState(optionsFor(folder));
    const profile = aProfile();
    const device = aDevice(profile);
    await state.devices.createProfile(profile);
    await state.devices.createDevice(device, credentialsOf(device));
    for (const scope of ['CLIENT', 'SHARED', 'SERVER'] as const) {
      await state.attributes.save(device.id, scope, entriesOf({ a: '1', b: '2' }), 1);
    }
    await state.events.setCursor(device.id, await state.events.head(device.id), CREATED, 1_000);
    for (const persistent of [true, false]) await state.rpcs.create(aCommand(device, { persistent }));
    await state.telemetryLog.append(aMessage(device, 1, { t: '1' }));
    await state.materialiser.start();
    await state.materialiser.caughtUp();
    await state.materialiser.stop();
    await state.telemetryLog.append(aMessage(device, 2, { t: '2' }));
    await state.close();
    const before = await tablesThatName(device.id, folder);
    expect(before).toEqual(expect.arrayContaining(['attributes', 'cursors', 'history', 'rpcExpiry', 'telemetryLog']));

    const again = await openEmbeddedState(optionsFor(folder));
    await again.devices.deleteDevice(device.id);
    await again.materialiser.start();
    await again.materialiser.caughtUp();
    await again.close();
    expect(await tablesThatName(device.id, folder)).toEqual([]);
  });
});

/** The tables with a row whose key or value has the device's id in it, and the index of RPCs by their expiry. */
async function tablesThatName(deviceId: string, folder: string): Promise<string[]> {
  const env = openEnvironment(folder);
  const view = openViewEnvironment(folder);
  const log = openLog(folder, 'process');
  const tables = [env, view, log].flatMap((tables) => Object.entries(tables)).filter(([name]) => name !== 'root') as [
    string,
    Environment['meta'],
  ][];
  const named = tables.filter(([name, table]) => {
    const rows = [...table.getRange()].map(({ key, value }) => [key as string | Buffer, value] as const);
    return rows.some(([key, value]) => name === 'rpcExpiry' || names(key, deviceId) || value.includes(deviceId));
  });
  await Promise.all([env, view, log].map(closeEnvironment));
  return named.map(([name]) => name);
}

const names = (key: string | Buffer, deviceId: string) =>
  typeof key === 'string' ? key.includes(deviceId) : Buffer.isBuffer(key) && key.includes(uuidBytes(deviceId));
