import { rm } from 'node:fs/promises';
import { aDevice, aMessage, aProfile, credentialsOf } from '@tandem/core/testing';
import { openEmbeddedState } from './index';
import { STEP_LIMITS } from './materialise';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

it('a stop in the middle of a large backlog ends in order, and the next start moves the rest', async () => {
  const folder = await temporaryFolder();
  const state = await openEmbeddedState(optionsFor(folder));
  const profile = aProfile();
  const device = aDevice(profile);
  await state.devices.createProfile(profile);
  await state.devices.createDevice(device, credentialsOf(device));
  const count = STEP_LIMITS.entries * 2 + 1;
  await Promise.all(
    Array.from({ length: count }, (_, ts) => state.telemetryLog.append(aMessage(device, ts, { n: String(ts) }))),
  );
  await state.materialiser.start();
  await state.materialiser.stop();
  await state.materialiser.start();
  await state.materialiser.caughtUp();
  const all = { startTs: 0, endTs: count, limit: count + 1, order: 'ASC' } as const;
  expect(await state.telemetryView.history(device.id, 'n', all)).toHaveLength(count);
  await state.close();
  await rm(folder, { recursive: true });
});
