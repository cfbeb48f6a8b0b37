import { randomBytes, randomUUID } from 'node:crypto';
import type { DataUpload, OtaPackage } from '@tandem/core';
import { aPackage } from '@tandem/core/testing';
import { Keys } from '../keys';
import { RegistryProcess } from '../registry/testing/registry-process';
import { type RedisServer, startRedis } from '../testing/redis-server';

const keys = new Keys('t');
const MEGABYTE = 1_048_576;

describe('Data of packages in Redis', () => {
  let server: RedisServer;
  let one: RegistryProcess;
  let other: RegistryProcess;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    await server.cli('FLUSHALL');
    one = await RegistryProcess.start(server, keys, 'one');
    other = await RegistryProcess.start(server, keys, 'other');
  });
  afterEach(() => Promise.all([one.close(), other.close()]));
  afterAll(() => server.stop());

  const lines = (text: string) => (text === '' ? [] : text.split('\n'));
  const keysOfData = async () => lines(await server.cli('KEYS', `${keys.prefix}:{f:*`));
  const notes = async () => lines(await server.cli('HVALS', keys.registry('firmware-data')));

  async function begun(): Promise<DataUpload> {
    const upload = await one.registry.firmware.beginData();
    await upload.write(randomBytes(5 * MEGABYTE));
    return upload;
  }
  /** As if nothing had come for ten minutes. */
  async function lapse(): Promise<void> {
    for (const mark of (await keysOfData()).filter((key) => key.endsWith(':open'))) await server.cli('DEL', mark);
  }
  const commit = (upload: DataUpload, { id }: OtaPackage, dataSize = 5 * MEGABYTE) =>
    upload.commit({
      packageId: id,
      file: { fileName: 'fw', contentType: 'a/b', checksumAlgorithm: 'MD5', checksum: '0', dataSize },
      tenantMaxBytes: Number.MAX_SAFE_INTEGER,
    });
  async function complete(): Promise<OtaPackage> {
    const ota = aPackage({ id: randomUUID() });
    await one.registry.firmware.create(ota);
    await commit(await begun(), ota);
    return ota;
  }

  it('is nothing but pieces of 256 KiB once it is complete', async () => {
    await complete();
    const mark = (await keysOfData()).filter((key) => key.endsWith(':open'));
    expect((await keysOfData()).length - mark.length).toBe(20);
    expect(await notes()).toEqual([]);
    // What is left of the upload goes by itself.
    expect(Number(await server.cli('PTTL', mark[0] ?? ''))).toBeGreaterThan(0);
  });

  it('is cleared away by any process when the one that wrote it died', async () => {
    await begun();
    await one.commands.close();
    await other.registry.firmware.resume();
    // Not before it is certain: it might only be slow.
    expect(await notes()).toEqual(['open']);
    await lapse();
    await other.registry.firmware.resume();
    expect(await keysOfData()).toEqual([]);
    expect(await notes()).toEqual([]);
  });

  it('takes no piece, and becomes nothing, after the upload has lapsed and was cleared away', async () => {
    const ota = aPackage();
    await one.registry.firmware.create(ota);
    const upload = await begun();
    await lapse();
    await other.registry.firmware.resume();
    await expect(
      upload.write(randomBytes(MEGABYTE)).then(() => commit(upload, ota, 6 * MEGABYTE)),
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await upload.abort();
    expect(await keysOfData()).toEqual([]);
    expect((await one.registry.firmware.get(ota.id))?.dataId).toBeNull();
  });

  it('does not become that of a package when a piece was lost with its master', async () => {
    const ota = aPackage();
    await one.registry.firmware.create(ota);
    const upload = await begun();
    await server.cli('DEL', (await keysOfData()).find((key) => key.endsWith(':7')) ?? '');
    await expect(commit(upload, ota)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await upload.abort();
    expect(await keysOfData()).toEqual([]);
    expect((await one.registry.firmware.get(ota.id))?.dataId).toBeNull();
  });

  it('is cleared away also when the process dies that deleted its package', async () => {
    const ota = await complete();
    one.commands.network = async (send) => {
      const answer = await send();
      // What comes after the registry has let go of the package.
      one.commands.network = () => Promise.reject(new Error('gone'));
      return answer;
    };
    await one.registry.firmware.delete(ota.id);
    expect(await notes()).toEqual(['dead']);
    await other.registry.firmware.resume();
    expect(await keysOfData()).toEqual([]);
    expect(await notes()).toEqual([]);
  });
});
