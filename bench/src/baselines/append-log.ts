import { open } from 'lmdb';

/** Appends bytes under the next sequence number; resolves when the entry is committed. */
export type Append = (bytes: Buffer) => Promise<unknown>;

/**
 * The least a log that survives the death of its process can cost on this store: sequence number -> bytes, no index,
 * no trimming, commits batched by event-loop turn. Without `flush` the operating system writes to disk when it likes,
 * which is the promise of TANDEM_DURABILITY=process; with it lmdb flushes behind each commit, and on a slow disk that,
 * not CPU time, sets the pace.
 */
export function openLog(folder: string, flush: boolean): Append {
  const log = open<Buffer, number>({ path: folder, encoding: 'binary', noSync: !flush });
  let sequence = 0;
  return (bytes) => {
    sequence += 1;
    return log.put(sequence, bytes);
  };
}
