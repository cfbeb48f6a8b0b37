import { Redis } from 'ioredis';
import { open } from 'lmdb';

/** Appends bytes to a log; resolves when the entry is accepted as durably as the log does it. */
export type Append = (bytes: Buffer) => Promise<unknown>;

/** Entries that the stream of the Redis log keeps, about: a log nobody reads must not fill the memory. */
const STREAM_LENGTH = 100_000;

/**
 * The log that the arguments of a baseline name: none, `lmdb <folder> [flush]` or `redis <port>`.
 * @throws Error for any others
 */
export function openLog([kind, where = '', flush]: readonly string[]): Append | undefined {
  switch (kind) {
    case undefined:
      return undefined;
    case 'lmdb':
      return lmdbLog(where, flush === 'flush');
    case 'redis':
      return redisLog(Number(where));
    default:
      throw new Error(`no log of the kind ${kind}`);
  }
}

/**
 * The least a log that survives the death of its process can cost on this store: sequence number -> bytes, no index,
 * no trimming, commits batched by event-loop turn. Without `flush` the operating system writes to disk when it likes,
 * which is the promise of TANDEM_DURABILITY=process; with it lmdb flushes behind each commit, and on a slow disk that,
 * not CPU time, sets the pace.
 */
function lmdbLog(folder: string, flush: boolean): Append {
  const log = open<Buffer, number>({ path: folder, encoding: 'binary', noSync: !flush });
  let sequence = 0;
  return (bytes) => {
    sequence += 1;
    return log.put(sequence, bytes);
  };
}

/** The least a shared log can cost: one awaited XADD for each message, sent together by ioredis where they come together. */
function redisLog(port: number): Append {
  const redis = new Redis({ host: '127.0.0.1', port, enableAutoPipelining: true });
  return (bytes) => redis.xadd('baseline', 'MAXLEN', '~', STREAM_LENGTH, '*', 'm', bytes);
}
