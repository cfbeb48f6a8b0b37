import { rm } from 'node:fs/promises';
import { type Device, type Logger, MetricsRegistry, silentLogger } from '@tandem/core';
import { aDevice, aMessage, aProfile, credentialsOf } from '@tandem/core/testing';
import { openEmbeddedState } from './index';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

/** Beyond what an entry may have in these tests. */
const LARGE = JSON.stringify('x'.repeat(3_000));

describe('A message in the log that is too large for the materialiser', () => {
  let folder: string;
  let device: Device;
  const profile = aProfile();
  beforeEach(async () => {
    folder = await temporaryFolder();
    device = aDevice(profile);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function open(telemetryEntryMax?: number) {
    const errors: [string, unknown][] = [];
    const logger: Logger = { ...silentLogger, error: (message, fields) => errors.push([message, fields]) };
    const metrics = new MetricsRegistry();
    const state = await openEmbeddedState(optionsFor(folder, { telemetryEntryMax, logger, metrics }));
    return { state, errors, metrics };
  }

  it('is passed over, told once and counted, and what came before and after it is in the view', async () => {
    const first = await open();
    await first.state.devices.createProfile(profile);
    await first.state.devices.createDevice(device, credentialsOf(device));
    for (const [ts, value] of ['1', LARGE, '3'].entries()) {
      await first.state.telemetryLog.append(aMessage(device, ts, { n: value }));
    }
    await first.state.close();

    const second = await open(2_000);
    await second.state.materialiser.start();
    await second.state.materialiser.caughtUp();
    const all = { startTs: 0, endTs: 10, limit: 10, order: 'ASC' } as const;
    expect(await second.state.telemetryView.history(device.id, 'n', all)).toEqual([
      { ts: 0, value: '1' },
      { ts: 2, value: '3' },
    ]);
    const told = [
      'a message is too large for the materialiser: it is not in the view',
      { deviceId: device.id, bytes: expect.any(Number) },
    ];
    expect(second.errors).toEqual([told]);
    expect(second.metrics.value('tandem_telemetry_too_large_total')).toBe(1);
    await second.state.close();

    // It was taken out of the log.
    const third = await open(2_000);
    await third.state.materialiser.start();
    await third.state.materialiser.caughtUp();
    expect(third.errors).toEqual([]);
    await third.state.close();
  });

  it('is one that no accepted message is, up to the last byte that is accepted', async () => {
    const { state, errors } = await open();
    await state.devices.createProfile(profile);
    await state.devices.createDevice(device, credentialsOf(device));
    await state.telemetryLog.append(aMessage(device, 0, { n: LARGE }));
    await state.materialiser.start();
    await state.materialiser.caughtUp();
    expect((await state.telemetryView.latest(device.id)).get('n')).toEqual({ ts: 0, value: LARGE });
    expect(errors).toEqual([]);
    await state.close();
  });
});
