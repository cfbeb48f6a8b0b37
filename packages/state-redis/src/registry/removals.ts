import type { Removal, Uuid } from '@tandem/core';
import { Commit } from './commit';
import type { RegistryReader } from './reader';
import type { RegistryWriter } from './writer';

/** Makes the note part of the deletion. */
export const noteRemoval = (commit: Commit, removal: Removal): Commit =>
  commit.set('removals', removal.id, JSON.stringify(removal));

/** Notes of tenants and customers of which something may be left. */
export class Removals {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  async list(limit: number): Promise<readonly Removal[]> {
    const texts = await this.reader.all('removals');
    const removals = [...texts.values()].map((text) => JSON.parse(text) as Removal);
    return removals.sort((a, b) => a.deletedAt - b.deletedAt).slice(0, limit);
  }

  async finish(id: Uuid): Promise<void> {
    await this.writer.commit(new Commit().remove('removals', id));
  }
}
