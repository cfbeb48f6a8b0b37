import { rm } from 'node:fs/promises';
import type { Device, State } from '@tandem/core';
import { aDevice, aMessage, aProfile, credentialsOf, entriesOf } from '@tandem/core/testing';
import { openEmbeddedState } from './index';
import { Child } from './testing/child';
import { optionsFor, temporaryFolderOnDisk } from './testing/embedded-store';

/** After how many acknowledgements the process is killed: early, in the middle of a batch, under full load. */
const KILLED_AFTER = [1, 40, 333, 1_500, 4_000, 9_000];
const IDS_PER_ROUND = 10_000_000;

describe('The embedded store when its process is killed', () => {
  let folder: string;
  let device: Device;
  const open = () => openEmbeddedState(optionsFor(folder, { eventLogMax: 1_000_000 }));

  beforeEach(async () => {
    folder = await temporaryFolderOnDisk();
    const state = await open();
    const profile = aProfile();
    device = aDevice(profile);
    await state.devices.createProfile(profile);
    await state.devices.createDevice(device, credentialsOf(device));
    await state.close();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has everything it acknowledged, each once, and goes on from there, round after round', async () => {
    const acknowledged = { t: new Set<number>(), a: new Set<number>() };
    let position: { epoch: string; offset: number } | undefined;
    for (const [round, count] of KILLED_AFTER.entries()) {
      const child = new Child('write-until-killed.mjs', folder, device.id, String(round * IDS_PER_ROUND));
      await child.lines(count);
      const lines = await child.kill();
      expect(lines.length).toBeGreaterThanOrEqual(count);
      for (const line of lines) {
        const complete = /^([ta]) (\d+)$/.exec(line);
        if (complete) acknowledged[complete[1] as 't' | 'a'].add(Number(complete[2]));
      }
      const state = await open();
      await state.materialiser.start();
      await state.materialiser.caughtUp();
      await expectTelemetry(state, acknowledged.t);
      position = await expectAttributes(state, acknowledged.a, position);
      await state.close();
    }
    expect(acknowledged.t.size).toBeGreaterThan(1_000);
    expect(acknowledged.a.size).toBeGreaterThan(30);
  });

  it('loses no point that it keeps when that is in the middle of passes of the retention', async () => {
    // Some minutes ago, so that rows are merged as well.
    let first = Date.now() - 3_600_000;
    const acknowledged = new Set<number>();
    for (const count of [500, 3_000, 2_000]) {
      const child = new Child('sweep-until-killed.mjs', folder, device.id, String(first));
      await child.lines(count);
      for (const line of await child.kill()) if (/^\d{13}$/.test(line)) acknowledged.add(Number(line));
      first += 100_000;
    }
    const state = await openEmbeddedState(optionsFor(folder, { historyMaxAge: 86_400_000 }));
    await state.materialiser.start();
    await state.materialiser.caughtUp();
    await state.materialiser.swept();
    const all = { startTs: -1, endTs: Number.MAX_SAFE_INTEGER, limit: 10_000_000, order: 'ASC' } as const;
    const points = await state.telemetryView.history(device.id, 't', all);
    expect(points.every(({ ts, value }) => value === String(ts))).toBe(true);
    const inView = new Set(points.map(({ ts }) => ts));
    expect([...acknowledged].filter((ts) => !inView.has(ts))).toEqual([]);
    expect(inView.size).toBe(points.length);
    await state.close();
  });

  it('starts the materialiser again whenever its thread has died, loses nothing, and says what may have been missed', async () => {
    const child = new Child('lose-the-worker.mjs', folder, device.id);
    const [line] = await child.output();
    expect(JSON.parse(line ?? '{}')).toEqual({
      ...{ rounds: 5, appended: 2_500, inView: 2_500, backlog: 0 },
      ...{ told: 2_500, missed: 5 },
    });
  });

  async function expectTelemetry(state: State, acknowledged: Set<number>): Promise<void> {
    const all = { startTs: -1, endTs: Number.MAX_SAFE_INTEGER, limit: 10_000_000, order: 'ASC' } as const;
    const points = await state.telemetryView.history(device.id, 'id', all);
    const inView = new Set(points.map(({ ts }) => ts));
    expect(inView.size).toBe(points.length);
    expect(points.every(({ ts, value }) => ts < 0 || value === String(ts))).toBe(true);
    expect([...acknowledged].filter((id) => !inView.has(id))).toEqual([]);
    expect(state.telemetryLog.backlog()).toBe(0);
    // The log goes on: what is appended now is not taken for something consumed long ago.
    const id = Math.max(0, ...inView) + 1;
    await state.telemetryLog.append(aMessage(device, id, { id: String(id) }));
    await state.materialiser.caughtUp();
    expect((await state.telemetryView.latest(device.id, ['id'])).get('id')).toEqual({ ts: id, value: String(id) });
  }

  async function expectAttributes(
    state: State,
    acknowledged: Set<number>,
    before: { epoch: string; offset: number } | undefined,
  ): Promise<{ epoch: string; offset: number }> {
    const { attributes, position } = await state.attributes.snapshotShared(device.id);
    if (before) expect(position).toEqual({ epoch: before.epoch, offset: expect.any(Number) });
    expect(position.offset).toBeGreaterThanOrEqual(before?.offset ?? 0);
    const keys = new Set(attributes.map(({ key }) => key));
    expect([...acknowledged].filter((id) => !keys.has(`a${id}`))).toEqual([]);
    const read = await state.events.read(device.id, { ...position, offset: 0 }, 10_000_000);
    if (read.kind !== 'events') throw new Error('a gap');
    expect(read.events.map(({ offset }) => offset)).toEqual(Array.from({ length: position.offset }, (_, n) => n + 1));
    const told = new Set(read.events.map(({ updated }) => updated.at(-1)?.key));
    // A step is whole: each event has its attribute and each attribute its event.
    expect(told).toEqual(new Set([...keys].filter((key) => key !== 'id')));
    expect(attributes.find(({ key }) => key === 'id')?.value).toBe(read.events.at(-1)?.updated[0]?.value);
    await state.attributes.save(device.id, 'SHARED', entriesOf({ id: '1', after: '1' }), 1);
    await state.attributes.delete(device.id, 'SHARED', ['nope'], 1);
    const after = await state.events.head(device.id);
    expect(after).toEqual({ ...position, offset: position.offset + 1 });
    return after;
  }
});
