import { type Millis, TandemError, type Uuid } from '@tandem/core';
import { Command } from 'ioredis';
import { type Commands, type Frame, loadScript } from '../client';
import type { Keys } from '../keys';

const OPEN = loadScript('firmware-open');
const PIECE = loadScript('firmware-piece');
const LENGTH = loadScript('firmware-length');
const CLEAR = loadScript('firmware-clear');

export const PIECE_BYTES = 262_144;
/** An upload of which nothing came for so long is over. */
const LEASE: Millis = 600_000;
/** Pieces that are cleared away in one step: four megabytes, so that Redis answers others in between. */
const CLEARED = 16;
/** Pieces of which the length is asked in one step. */
const MEASURED = 512;

/** Bytes from which on a slice is large. */
const ALONE = 8_192;

/** The bytes of one package: keys of one slot, `0`, `1`, ..., each of 256 KiB but the last. */
export class Pieces {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    readonly dataId: Uuid,
  ) {}

  open(): Promise<unknown> {
    return this.commands.write(OPEN, [this.#mark], [LEASE]);
  }

  async isOpen(): Promise<boolean> {
    return (await this.commands.during(() => this.commands.client.exists(this.#mark))) === 1;
  }

  /**
   * @param bytes left as they are until this has resolved, and so is the frame; for good when it rejects
   * @throws TandemError STORE_UNAVAILABLE also when the upload has lapsed
   */
  async write(n: number, bytes: Buffer, frame: Frame): Promise<void> {
    const kept = await this.commands.write<number>(PIECE, [this.#mark, this.#piece(n)], [LEASE, bytes], frame);
    if (kept === 0) throw lapsed();
  }

  /** Of the first `count` pieces. */
  async length(count: number): Promise<number> {
    let length = 0;
    for (let first = 0; first < count; first += MEASURED) {
      length += await this.commands.run<number>(LENGTH, this.#range(first, Math.min(MEASURED, count - first)), []);
    }
    return length;
  }

  /** Undefined when nothing is there; less than `length` at the end. */
  async read(offset: number, length: number): Promise<Buffer | undefined> {
    const end = offset + length;
    const slices: Promise<Buffer>[] = [];
    for (let at = offset; at < end; ) {
      const [key, from] = [this.#piece(Math.floor(at / PIECE_BYTES)), at % PIECE_BYTES];
      const to = Math.min(PIECE_BYTES, from + end - at);
      slices.push(this.commands.during(() => this.#slice(key, from, to - 1)));
      at += to - from;
    }
    const bytes = slices.length === 1 ? await slices[0] : Buffer.concat(await Promise.all(slices));
    if (bytes && bytes.length > 0) return bytes;
    const there = await this.commands.during(() => this.commands.client.exists(this.#piece(0)));
    return there === 1 ? Buffer.alloc(0) : undefined;
  }

  /**
   * Whatever was written, and nothing comes any more. An upload writes a few pieces at the same time: a step that found
   * nothing at all is behind its end.
   */
  async clear(): Promise<void> {
    await this.commands.write(CLEAR, [this.#mark], []);
    for (let first = 0; ; first += CLEARED) {
      if ((await this.commands.write<number>(CLEAR, this.#range(first, CLEARED), [])) === 0) return;
    }
  }

  /**
   * A large one goes out alone. ioredis has one pipeline under way, keeps what has come for it until the last has come, and begins
   * the next: with fifty downloads nearly every reply is old by then, and what is old only a full collection clears away.
   */
  #slice(key: string, from: number, to: number): Promise<Buffer> {
    const { client } = this.commands;
    if (to - from < ALONE) return client.getrangeBuffer(key, from, to);
    return client.sendCommand(new Command('getrange', [key, from, to], { replyEncoding: null })) as Promise<Buffer>;
  }

  get #mark(): string {
    return this.keys.firmware(this.dataId, 'open');
  }

  #piece(n: number): string {
    return this.keys.firmware(this.dataId, String(n));
  }

  #range(first: number, count: number): string[] {
    return Array.from({ length: count }, (_, n) => this.#piece(first + n));
  }
}

export const lapsed = () =>
  new TandemError('STORE_UNAVAILABLE', { message: 'The upload took too long and has lapsed', retryAfter: 1_000 });
