import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceAuth, MetricsRegistry, silentLogger, systemClock } from '@tandem/core';
import {
  aDevice,
  aProfile,
  credentialsOf,
  describeSealedContract,
  describeSecretsAtRest,
  sealingBox,
} from '@tandem/core/testing';
import { closeEnvironment, openEnvironment } from './environment';
import { compactFolder, openEmbeddedState } from './index';
import { makeEmbeddedStore, optionsFor, temporaryFolder } from './testing/embedded-store';

describeSecretsAtRest('the embedded store', async () => {
  const folder = await temporaryFolder();
  return {
    open: (secretBox) => openEmbeddedState(optionsFor(folder, { secretBox })),
    async contents() {
      await compactFolder(folder);
      const files = await readdir(folder, { recursive: true, withFileTypes: true });
      const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath ?? file.path, file.name));
      expect(paths.filter((path) => path.endsWith('data.mdb'))).toHaveLength(3);
      return Buffer.concat(await Promise.all(paths.map((path) => readFile(path))));
    },
    async copyCredentials(from, to) {
      const env = openEnvironment(folder);
      await env.root.transaction(() => env.credentials.put(to, env.credentials.get(from) ?? ''));
      await closeEnvironment(env);
    },
    destroy: () => rm(folder, { recursive: true }),
  };
});

it('opens the credentials of a device once, however often it sends', async () => {
  const opened: string[] = [];
  const box = sealingBox();
  const open = (text: string, place: string) => {
    opened.push(place);
    return box.open(text, place);
  };
  const { state, destroy } = await makeEmbeddedStore({
    secretBox: { keyIds: box.keyIds, seal: (text, place) => box.seal(text, place), open },
  });
  const profile = aProfile();
  const device = aDevice(profile);
  await state.devices.createProfile(profile);
  await state.devices.createDevice(device, credentialsOf(device, { credentialsId: 'token' }));
  const auth = new DeviceAuth(state.devices, 10, systemClock, new MetricsRegistry());
  opened.splice(0);
  for (let times = 0; times < 100; times++) await auth.resolve('token');
  expect(opened).toEqual([`credentials ${device.id}`]);
  await destroy();
});

it('takes away at its start what a rewrite of the folder left that was killed, and says what to do', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'compacted'));
  await writeFile(join(folder, 'compacted', 'data.mdb'), 'half');
  const told: string[] = [];
  const warn = (message: string) => void told.push(message);
  const open = () => openEmbeddedState(optionsFor(folder, { logger: { ...silentLogger, warn } }));
  await (await open()).close();
  expect(told).toEqual([expect.stringContaining('run `tandem secrets seal` again')]);
  expect(await readdir(folder)).not.toContain('compacted');
  await (await open()).close();
  expect(told).toHaveLength(1);
  await rm(folder, { recursive: true });
});

describeSealedContract('the embedded store', (limits) => makeEmbeddedStore({ ...limits, secretBox: sealingBox() }));
