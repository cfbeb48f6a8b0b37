import { TandemError } from '@tandem/core';
import { Frame } from '../client';
import { PIECE_BYTES, type Pieces } from './pieces';

/**
 * Cuts what comes into pieces, one of which fills while the one before is on its way. All memory for them is used again and
 * again: what is made anew for each piece waits for the collector, and that is far more than what is held.
 */
export class PieceWriter {
  /** The one that fills, and the one on its way: where replicas are waited for it is sent from here and not from the frame. */
  #pieces: readonly [Buffer, Buffer] = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)];
  readonly #frame = new Frame(PIECE_BYTES);
  #filled = 0;
  #sent = 0;
  #size = 0;
  /** Never rejects. */
  #underWay: Promise<void> = Promise.resolve();
  #failure: unknown;
  #over = false;

  constructor(private readonly pieces: Pieces) {}

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#sent;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#check();
      const part = chunk.subarray(at, at + PIECE_BYTES - this.#filled);
      this.#pieces[0].set(part, this.#filled);
      this.#filled += part.length;
      this.#size += part.length;
      at += part.length;
      if (this.#filled === PIECE_BYTES) await this.#send();
    }
  }

  /** Resolves when all is in Redis. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await this.#underWay;
    this.#check();
    this.#over = true;
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#underWay;
  }

  async #send(): Promise<void> {
    await this.#underWay;
    // One that got no answer may be sent again: its memory stays as it is.
    this.#check();
    const [piece, other] = this.#pieces;
    this.#underWay = this.pieces
      .write(this.#sent++, piece.subarray(0, this.#filled), this.#frame)
      .catch((error: unknown) => {
        this.#failure = error;
      });
    this.#pieces = [other, piece];
    this.#filled = 0;
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#over) throw new TandemError('STORE_UNAVAILABLE', { message: 'The upload is over' });
  }
}
