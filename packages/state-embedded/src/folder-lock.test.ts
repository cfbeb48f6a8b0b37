import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { FolderInUseError, openEmbeddedState } from './index';
import { Child } from './testing/child';
import { optionsFor, temporaryFolder } from './testing/embedded-store';

describe('The data folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is refused to a second process with a sentence that names it, and free again after a kill -9', async () => {
    const owner = new Child('hold-folder.mjs', folder);
    expect(await owner.lines(1)).toEqual(['open']);
    const refused = openEmbeddedState(optionsFor(folder));
    await expect(refused).rejects.toBeInstanceOf(FolderInUseError);
    await expect(refused).rejects.toThrow(`Data folder ${folder} is in use by another process`);
    const second = new Child('hold-folder.mjs', folder);
    expect(await second.output()).toEqual([expect.stringContaining('FolderInUseError')]);
    await owner.kill();
    const state = await openEmbeddedState(optionsFor(folder));
    await state.ping();
    await state.close();
  });

  it('is refused to a second state of the same process, also by another path, until the first is closed', async () => {
    const first = await openEmbeddedState(optionsFor(folder));
    await expect(openEmbeddedState(optionsFor(`${folder}/../${folder.split('/').pop()}`))).rejects.toThrow('in use');
    await first.ping();
    await first.close();
    await (await openEmbeddedState(optionsFor(folder))).close();
  });

  it('is refused when its owner is in another network namespace, as containers on one volume are', async () => {
    const owner = createServer();
    await new Promise<void>((resolve) => owner.listen(join(folder, 'owner.sock'), resolve));
    await expect(openEmbeddedState(optionsFor(folder))).rejects.toBeInstanceOf(FolderInUseError);
    await new Promise((resolve) => owner.close(resolve));
    await (await openEmbeddedState(optionsFor(folder))).close();
  });

  it('may lie deeper than the path of a socket can say, and is made when it is not there', async () => {
    const deep = join(folder, ...Array.from({ length: 12 }, () => 'a-folder-with-a-name'));
    const state = await openEmbeddedState(optionsFor(deep));
    await expect(openEmbeddedState(optionsFor(deep))).rejects.toBeInstanceOf(FolderInUseError);
    await state.close();
  });

  it('is given back when the store cannot be opened', async () => {
    const options = optionsFor(folder);
    await mkdir(join(folder, 'data.mdb'));
    await expect(openEmbeddedState(options)).rejects.toThrow();
    await rm(join(folder, 'data.mdb'), { recursive: true });
    await (await openEmbeddedState(optionsFor(folder))).close();
  });
});
