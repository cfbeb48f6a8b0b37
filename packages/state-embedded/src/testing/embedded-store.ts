import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricsRegistry, type State, silentLogger, systemClock, systemRandom } from '@tandem/core';
import type { StoreLimits, StoreUnderTest } from '@tandem/core/testing';
import { type EmbeddedOptions, openEmbeddedState } from '../index';

/** With a dot in its name: lmdb takes such a path for a file unless it is told otherwise. */
export const temporaryFolder = (parent: string = tmpdir()): Promise<string> =>
  mkdtemp(join(parent, 'tandem.embedded.'));

/** On a disk, also where other tests have their folders in memory. */
export const temporaryFolderOnDisk = (): Promise<string> => temporaryFolder(process.env.TANDEM_TEST_DISK);

export const optionsFor = (folder: string, given: Partial<EmbeddedOptions> = {}): EmbeddedOptions => ({
  folder,
  durability: 'process',
  backlogMax: 1_000_000,
  eventLogMax: 10_000,
  rpcMaxPending: 1_000,
  rpcFinishedMax: 10_000,
  rateBucketsMax: 1_000,
  directoryMax: 10_000,
  loginSubjectsMax: 1_000,
  minFreeBytes: 1,
  telemetryKeysMax: 10_000,
  historyMaxAge: 0,
  historyMax: undefined,
  retentionInterval: 3_600_000,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  metrics: new MetricsRegistry(),
  ...given,
});

/** The real store in a folder of its own. */
export async function makeEmbeddedStore(
  given: Partial<StoreLimits & Pick<EmbeddedOptions, 'durability' | 'secretBox'>> = {},
): Promise<StoreUnderTest & { readonly folder: string }> {
  const folder = await temporaryFolder();
  let open: State = await openEmbeddedState(optionsFor(folder, given));
  return {
    folder,
    state: open,
    async reopen() {
      await open.close();
      open = await openEmbeddedState(optionsFor(folder, given));
      return open;
    },
    async destroy() {
      await open.close();
      await rm(folder, { recursive: true });
    },
  };
}
