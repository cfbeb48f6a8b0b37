import {
  type Core,
  MetricsRegistry,
  makeCore,
  readSettings,
  silentLogger,
  systemClock,
  systemRandom,
} from '@tandem/core';
import { aDevice, aPackage, aProfile, credentialsOf } from '@tandem/core/testing';
import { openRedisState } from '../index';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { optionsFor } from '../testing/redis-store';

const DEVICES = 150;

describe('A rollout with Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('is the work of two processes, and each device is told once', async () => {
    const options = optionsFor(server.address);
    const settings = readSettings({ TANDEM_FIRMWARE_ROLLOUT_STEP: '5', TANDEM_FIRMWARE_ROLLOUT_PAUSE: '0' });
    const processes: Core[] = [];
    for (let n = 0; n < 2; n++) {
      const platform = {
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
        metrics: new MetricsRegistry(),
      };
      processes.push(makeCore(await openRedisState({ ...options, ...platform }), settings, platform));
    }
    const [one, other] = processes;
    if (!one || !other) throw new Error('two processes');
    const { devices, firmware, events, rollouts } = one.state;
    const profile = aProfile();
    await devices.createProfile(profile);
    const made = Array.from({ length: DEVICES }, () => aDevice(profile));
    await Promise.all(made.map((device) => devices.createDevice(device, credentialsOf(device))));
    const ota = aPackage({ deviceProfileId: profile.id, url: 'https://example.org' });
    await firmware.create(ota);
    const assigned = { ...profile, firmwareId: ota.id };
    await one.firmware.assignment.saveProfile(profile, assigned, () => devices.updateProfile(assigned));

    const work = async (core: Core) => {
      while ((await rollouts.count()) > 0) await core.firmware.rollouts.work();
    };
    await Promise.all([work(one), work(other)]);
    const told = processes.map((core) => core.metrics.value('tandem_firmware_devices_told_total'));
    expect((told[0] ?? 0) + (told[1] ?? 0)).toBe(DEVICES);
    for (const { id } of made) expect((await events.head(id)).offset).toBe(1);
    await Promise.all(processes.map(({ state }) => state.close()));
  });
});
