import type { DataUpload, NewData, OtaPackage, Written } from '@tandem/core';
import { Commit } from '../registry/commit';
import { at, headOf, type RegistryReader } from '../registry/reader';
import type { RegistryWriter } from '../registry/writer';
import { type DataPurge, OPEN } from './data-purge';
import { packageText, parsePackage } from './package-records';
import { PieceWriter } from './piece-writer';
import { lapsed, type Pieces } from './pieces';

/** An upload: pieces in a slot of their own, and a note of it in the registry until the record of a package names them. */
export class RedisDataUpload implements DataUpload {
  readonly #writer: PieceWriter;
  #over = false;

  constructor(
    private readonly pieces: Pieces,
    private readonly reader: RegistryReader,
    private readonly registry: RegistryWriter,
    private readonly purge: DataPurge,
  ) {
    this.#writer = new PieceWriter(pieces);
  }

  async begin(): Promise<void> {
    // The mark first: a note without one is of an upload that is over.
    await this.pieces.open();
    await this.registry.commit(new Commit().set('firmware-data', this.pieces.dataId, OPEN));
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk);
  }

  async commit(data: NewData): Promise<Written<OtaPackage>> {
    await this.#writer.finish();
    // A master that was lost may have taken pieces along.
    if ((await this.pieces.length(this.#writer.count)) !== this.#writer.size) throw lapsed();
    const written = await this.registry.write(() => this.#plan(data));
    if (!written.ok) await this.abort();
    this.#over = true;
    return written;
  }

  async abort(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#writer.stop();
    await this.purge.abandon(this.pieces.dataId);
  }

  async #plan({ packageId, file, tenantMaxBytes }: NewData) {
    const { dataId } = this.pieces;
    const [text, bytes, note] = await this.reader.read(
      ['packages', at(packageId)],
      ['package-bytes', headOf(1)],
      ['firmware-data', at(dataId)],
    );
    const stored = parsePackage(text);
    if (!stored) return 'ABSENT' as const;
    if (stored.dataId !== null) return 'IN_USE' as const;
    if (note !== OPEN) throw lapsed();
    const sum = Number(bytes ?? 0) + this.#writer.size;
    if (sum > tenantMaxBytes) return 'LIMIT' as const;
    const value: OtaPackage = { ...stored, ...file, dataId, revision: stored.revision + 1 };
    const commit = new Commit()
      .unchanged('packages', packageId, text)
      .unchanged('package-bytes', stored.tenantId, bytes)
      .unchanged('firmware-data', dataId, note)
      .set('packages', packageId, packageText(value))
      .set('package-bytes', stored.tenantId, String(sum))
      .remove('firmware-data', dataId);
    return { value, commit };
  }
}
