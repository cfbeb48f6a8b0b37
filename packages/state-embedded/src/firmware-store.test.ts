import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MetricsRegistry, silentLogger, TandemError } from '@tandem/core';
import { aPackage } from '@tandem/core/testing';
import { closeEnvironment, type Environment, openEnvironment } from './environment';
import { FirmwareFiles } from './firmware-files';
import { EmbeddedFirmware } from './firmware-store';
import { temporaryFolder } from './testing/embedded-store';
import { Transactions } from './transactions';

describe('The data of a package', () => {
  let folder: string;
  let env: Environment;
  /** How many writes may begin until the disk is nearly full. */
  let room: number;
  let firmware: EmbeddedFirmware;
  beforeEach(async () => {
    folder = await temporaryFolder();
    env = openEnvironment(folder);
    room = Number.POSITIVE_INFINITY;
    const full = new TandemError('STORE_UNAVAILABLE', { message: 'The disk is nearly full' });
    const transactions = new Transactions(env, { refusal: () => (room-- > 0 ? undefined : full) });
    const files = new FirmwareFiles(folder, transactions, { look: () => {} });
    const platform = { random: { uuid: randomUUID }, logger: silentLogger, metrics: new MetricsRegistry() };
    firmware = new EmbeddedFirmware(env, transactions, files, { used: () => false } as never, platform as never);
  });
  afterEach(async () => {
    await closeEnvironment(env);
    await rm(folder, { recursive: true });
  });

  it.each([0, 1])('leave no file when the record cannot be written: %s writes of the commit begin', async (begun) => {
    const ota = aPackage({ id: randomUUID() });
    await firmware.create(ota);
    const data = await firmware.beginData();
    await data.write(Buffer.from('x'));
    room = begun;
    const file = { fileName: 'f', contentType: 'c', checksumAlgorithm: 'MD5', checksum: '', dataSize: 1 } as const;
    const commit = data.commit({ packageId: ota.id, file, tenantMaxBytes: 100 });
    await expect(commit).rejects.toMatchObject({ message: 'The disk is nearly full' });
    await data.abort();
    expect(await readdir(join(folder, 'firmware'))).toEqual([]);
  });
});
