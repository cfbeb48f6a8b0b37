import type { Random, SealedRecords } from '@tandem/core';
import { Commit, MOVED } from './commit';
import { at, type RegistryReader } from './reader';
import type { RegistryWriter } from './writer';

const SECRET_BYTES = 64;

/** Secrets that all processes of the store share, such as what signs JWTs. */
export class Secrets {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly records: SealedRecords,
    private readonly random: Pick<Random, 'bytes'>,
  ) {}

  /** Made once, by whoever is first. */
  async get(name: string): Promise<Buffer> {
    const written = await this.writer.write(async () => {
      const [stored] = await this.reader.read(['secrets', at(name)]);
      if (stored !== undefined) return { value: this.records.secret(name, stored), commit: new Commit() };
      const value = this.random.bytes(SECRET_BYTES).toString('base64');
      const commit = new Commit()
        .absent('secrets', name, MOVED)
        .set('secrets', name, this.records.secretText(name, value));
      return { value, commit };
    });
    if (!written.ok) throw new Error(`the secret ran into ${written.conflict}`);
    return Buffer.from(written.value, 'base64');
  }
}
