import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aDevice, aMessage, aProfile, credentialsOf } from '@tandem/core/testing';
import { openEmbeddedState } from './index';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

describe('The telemetry log after the machine went down', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  const device = aDevice(aProfile());

  /** A store with one message in the log that has not reached the view. */
  async function leaveOneMessage(durability: 'process' | 'power'): Promise<void> {
    const state = await openEmbeddedState({ ...optionsFor(folder), durability });
    const profile = aProfile();
    await state.devices.createProfile(profile);
    await state.devices.createDevice({ ...device, deviceProfileId: profile.id }, credentialsOf(device));
    await state.telemetryLog.append(aMessage(device, 1, { t: '1' }));
    await state.close();
  }

  /** As a machine leaves it that went down while the store was open. */
  function pretendCrashOfTheMachine(durability: 'process' | 'power'): void {
    writeFileSync(join(folder, 'log', 'open-since-boot'), `${durability} another boot`);
  }

  async function latestAfterReopening(durability: 'process' | 'power'): Promise<readonly string[]> {
    const state = await openEmbeddedState({ ...optionsFor(folder), durability });
    await state.materialiser.start();
    await state.materialiser.caughtUp();
    const points = await state.telemetryView.latest(device.id);
    await state.telemetryLog.append(aMessage(device, 2, { u: '2' }));
    await state.materialiser.caughtUp();
    expect((await state.telemetryView.latest(device.id)).get('u')?.value).toBe('2');
    await state.close();
    return [...points.keys()];
  }

  it.each(['process', 'power'] as const)(
    'is put aside when it was not flushed, and the store goes on without it, now with %s',
    async (now) => {
      await leaveOneMessage('process');
      pretendCrashOfTheMachine('process');
      expect(await latestAfterReopening(now)).toEqual([]);
      expect(existsSync(join(folder, 'log.distrusted', 'data.mdb'))).toBe(true);
    },
  );

  it.each(['process', 'power'] as const)('is kept when every commit was flushed, now with %s', async (now) => {
    await leaveOneMessage('power');
    pretendCrashOfTheMachine('power');
    expect(await latestAfterReopening(now)).toEqual(['t']);
  });

  it('is kept after a clean close, which leaves no mark', async () => {
    await leaveOneMessage('process');
    expect(existsSync(join(folder, 'log', 'open-since-boot'))).toBe(false);
    expect(await latestAfterReopening('process')).toEqual(['t']);
  });

  it('is marked while it is open', async () => {
    const state = await openEmbeddedState(optionsFor(folder));
    expect(readFileSync(join(folder, 'log', 'open-since-boot'), 'utf8')).toMatch(/^process \S/);
    await state.close();
  });
});
