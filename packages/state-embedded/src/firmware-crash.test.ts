import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MetricsRegistry } from '@tandem/core';
import { aPackage } from '@tandem/core/testing';
import { openEmbeddedState } from './index';
import { Child } from './testing/child';
import { optionsFor, temporaryFolderOnDisk } from './testing/embedded-store';

const SIZE = 20 * 65_536;
/** After how many lines the process is killed: at the first chunk, in the middle, around the commits. */
const KILLED_AFTER = [1, 17, 40, 41, 42, 43, 65, 90];

describe('Uploads of packages when the process is killed', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolderOnDisk();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('leave a package all of its data or none, and no file that nobody refers to', async () => {
    for (const lines of KILLED_AFTER) {
      const packages = Array.from({ length: 6 }, () => aPackage({ id: randomUUID() }));
      const before = await openEmbeddedState(optionsFor(folder));
      for (const ota of packages) await before.firmware.create(ota);
      await before.close();

      const child = new Child('upload-until-killed.mjs', folder, ...packages.map(({ id }) => id));
      await child.lines(lines);
      const printed = await child.kill();

      const metrics = new MetricsRegistry();
      const { firmware, close } = await openEmbeddedState(optionsFor(folder, { metrics }));
      const { data } = await firmware.list(packages[0]?.tenantId ?? '', { page: 0, pageSize: 1_000 });
      for (const { id, dataId, dataSize } of data) {
        if (printed.includes(`committed ${id}`)) expect(dataId).not.toBeNull();
        expect(dataSize).toBe(dataId === null ? null : SIZE);
        if (dataId === null) continue;
        for (const offset of [0, SIZE / 2, SIZE - 1_024]) {
          const slice = await firmware.read(dataId, offset, 1_024);
          expect(slice?.equals(Buffer.alloc(1_024, Number.parseInt(id.slice(0, 2), 16)))).toBe(true);
        }
        expect(await firmware.read(dataId, SIZE, 1)).toHaveLength(0);
      }
      const referred = data.flatMap(({ dataId }) => dataId ?? []);
      expect((await readdir(join(folder, 'firmware'))).sort()).toEqual(referred.sort());
      await close();
    }
  });

  it('are counted when what is left of them is cleared away', async () => {
    const ota = aPackage();
    const before = await openEmbeddedState(optionsFor(folder));
    await before.firmware.create(ota);
    await before.close();
    const child = new Child('upload-until-killed.mjs', folder, ota.id);
    await child.lines(5);
    await child.kill();

    const metrics = new MetricsRegistry();
    const state = await openEmbeddedState(optionsFor(folder, { metrics }));
    expect(metrics.value('tandem_firmware_uploads_swept_total')).toBe(1);
    expect((await state.firmware.get(ota.id))?.dataId).toBeNull();
    await state.close();
  });
});
