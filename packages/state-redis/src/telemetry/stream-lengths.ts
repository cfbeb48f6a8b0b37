import { isAfter } from './message-codec';

interface Known {
  newestId: string;
  length: number;
  /** Counts what was heard of the stream. */
  version: number;
}

/** The newest known length of each stream, out of answers that may overtake each other on several connections. */
export class StreamLengths {
  readonly #streams = new Map<number, Known>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  version(partition: number): number {
    return this.#streams.get(partition)?.version ?? 0;
  }

  /**
   * @param newestId of the newest entry the stream has ever had. Entries come in with growing ids and go without: of two
   * answers with the same id the shorter one is newer.
   */
  heard(partition: number, newestId: string, length: number): void {
    const known = this.#streams.get(partition);
    const isNewer = !known || isAfter(newestId, known.newestId);
    if (isNewer || (newestId === known.newestId && length < known.length)) this.#set(partition, newestId, length);
  }

  /** For a read that began when `version` was what it said: counts unless something was heard in the meantime. */
  read(partition: number, version: number, newestId: string, length: number): void {
    if (this.version(partition) === version) this.#set(partition, newestId, length);
    else this.heard(partition, newestId, length);
  }

  /** Streams from this one on count no more. */
  forgetFrom(partition: number): void {
    for (const [each, { length }] of this.#streams) {
      if (each < partition) continue;
      this.#total -= length;
      this.#streams.delete(each);
    }
  }

  #set(partition: number, newestId: string, length: number): void {
    const known = this.#streams.get(partition);
    this.#total += length - (known?.length ?? 0);
    this.#streams.set(partition, { newestId, length, version: (known?.version ?? 0) + 1 });
  }
}
