import { Command } from 'ioredis';

/** For what is around the bytes: names, lengths, the source of a script. */
const AROUND = 4_096;
/** `$`, a length and two ends of lines. */
const MARKS = 32;

/** Memory for commands with large arguments, one after the other. */
export class Frame {
  readonly #bytes: Buffer;

  /** @param size of the arguments together */
  constructor(size: number) {
    // Not of the pool: it is there for as long as whoever has it.
    this.#bytes = Buffer.allocUnsafeSlow(size + AROUND);
  }

  /** @returns what goes over the wire, a part of this memory */
  write(words: readonly (string | Buffer)[]): Buffer {
    const bytes = this.#bytes;
    let at = bytes.write(`*${words.length}\r\n`, 0, 'latin1');
    for (const word of words) {
      const length = Buffer.byteLength(word);
      if (at + length + MARKS > bytes.length) throw new RangeError('The command does not fit');
      at += bytes.write(`$${length}\r\n`, at, 'latin1');
      at += typeof word === 'string' ? bytes.write(word, at) : word.copy(bytes, at);
      at += bytes.write('\r\n', at, 'latin1');
    }
    return bytes.subarray(0, at);
  }
}

/**
 * A command that is written once, into memory that was there before. ioredis makes two copies of each argument, in new memory each
 * time: of an upload that is twice its size for the garbage collector, which takes its time.
 */
export class FramedCommand extends Command {
  readonly #written: Buffer;

  /** @param frame nobody else's until there is an answer, or for good where there is none: the command may be sent again */
  constructor(name: string, args: readonly (string | Buffer)[], frame: Frame) {
    const words = args.filter((arg) => typeof arg === 'string');
    super(name, words, { replyEncoding: 'utf8' });
    this.#written = frame.write([name, ...args]);
  }

  override toWritable(): Buffer {
    return this.#written;
  }
}
