import { rm } from 'node:fs/promises';
import { TandemError } from '@tandem/core';
import { aDevice, aMessage, aProfile, aTenant } from '@tandem/core/testing';
import { FreeSpace, freeBytes } from './free-space';
import { openEmbeddedState } from './index';
import { optionsFor, temporaryFolder } from './testing/embedded-store';
import { Transactions } from './transactions';

describe('A disk that is nearly full', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('stops the start with one line that names the folder', async () => {
    const options = { ...optionsFor(folder), minFreeBytes: Number.MAX_SAFE_INTEGER };
    await expect(openEmbeddedState(options)).rejects.toThrow(`The disk of data folder ${folder} has less than`);
    // The folder was given back.
    await (await openEmbeddedState(optionsFor(folder))).close();
  });

  it('refuses every write with a time to retry, and says once that it begins and once that it ends', async () => {
    const changes: boolean[] = [];
    const space = new FreeSpace(folder, freeBytes(folder) / 2, (low) => changes.push(low));
    expect(space.refusal()).toBeUndefined();
    const full = new FreeSpace(folder, Number.MAX_SAFE_INTEGER, (low) => changes.push(low));
    full.look();
    expect(full.refusal()).toMatchObject({ code: 'STORE_UNAVAILABLE', retryAfter: expect.any(Number) });
    expect(changes).toEqual([]);
    space.close();
    full.close();
  });

  it('keeps a write from beginning', async () => {
    const state = await openEmbeddedState(optionsFor(folder));
    const refusal = new TandemError('STORE_UNAVAILABLE', { message: 'The disk is nearly full' });
    const root = { transaction: () => Promise.reject(new Error('was begun')) } as never;
    const transactions = new Transactions({ root }, { refusal: () => refusal });
    await expect(transactions.run(() => 1)).rejects.toBe(refusal);
    await state.accounts.createTenant(aTenant());
    await state.telemetryLog.append(aMessage(aDevice(aProfile()), 1, { a: '1' }));
    await state.close();
  });
});
