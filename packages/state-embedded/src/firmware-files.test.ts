import { readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/core';
import { openRoot } from './environment';
import { FirmwareFiles } from './firmware-files';
import { temporaryFolder } from './testing/embedded-store';
import { Transactions } from './transactions';

const CHUNK = Buffer.alloc(1_048_576, 'x');

describe('The files of packages', () => {
  let folder: string;
  let root: ReturnType<typeof openRoot>['root'];
  let low: boolean;
  let looks: number;
  let files: FirmwareFiles;
  beforeEach(async () => {
    folder = await temporaryFolder();
    ({ root } = openRoot(folder, 'none'));
    [low, looks] = [false, 0];
    const refusal = () =>
      low ? new TandemError('STORE_UNAVAILABLE', { message: 'The disk is nearly full' }) : undefined;
    files = new FirmwareFiles(folder, new Transactions({ root }, { refusal }), { look: () => void looks++ });
  });
  afterEach(async () => {
    await files.close();
    await root.close();
    await rm(folder, { recursive: true });
  });
  const names = () => readdir(join(folder, 'firmware'));

  it('are not written on a disk that is nearly full, and an upload cut off by that leaves nothing', async () => {
    const upload = await files.begin('data');
    await upload.write(CHUNK);
    low = true;
    await expect(upload.write(CHUNK)).rejects.toMatchObject({ message: 'The disk is nearly full' });
    await expect(files.begin('other')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await upload.abort();
    expect(await names()).toEqual([]);
  });

  it('let the free room be looked at before more is written than is kept in reserve', async () => {
    const upload = await files.begin('data');
    for (let n = 0; n < 32; n++) await upload.write(CHUNK);
    expect(looks).toBe(4);
    await upload.finish();
    expect(await names()).toEqual(['data']);
    expect(await files.read('data', 31 * CHUNK.length, 2)).toEqual(Buffer.from('xx'));
  });

  /** Files of ours that this process has open. */
  async function opened(): Promise<string[]> {
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).filter((path) => path.startsWith(join(folder, 'firmware')));
  }
  async function written(name: string): Promise<void> {
    const upload = await files.begin(name);
    await upload.write(Buffer.from(`the bytes of ${name}`));
    await upload.finish();
  }
  const wholeOf = async (name: string) => (await files.read(name, 13, 100))?.toString();

  it('are kept open when they are read, so many and no more, however many are read at the same time', async () => {
    const all = Array.from({ length: 40 }, (_, n) => `data${n}`);
    for (const name of all) await written(name);
    for (let round = 0; round < 3; round++) {
      expect(await Promise.all([...all, ...all].map(wholeOf))).toEqual([...all, ...all]);
    }
    while ((await opened()).length > 16) await new Promise((resolve) => setImmediate(resolve));
    expect(files.kept).toBe(16);
    await files.close();
    expect([await opened(), files.kept]).toEqual([[], 0]);
  });

  it('are gone when they are removed, also for who was reading them', async () => {
    await written('data');
    expect(await wholeOf('data')).toBe('data');
    const during = Array.from({ length: 20 }, () => wholeOf('data'));
    await files.remove('data');
    for (const read of during) expect(['data', undefined]).toContain(await read);
    expect(await wholeOf('data')).toBeUndefined();
    expect(await opened()).toEqual([]);
  });

  it('of uploads that are under way when the store is closed are gone, and nothing is read any more', async () => {
    const upload = await files.begin('data');
    await upload.write(CHUNK);
    await files.close();
    expect(await names()).toEqual([]);
    await expect(upload.write(CHUNK)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(files.read('data', 0, 1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
