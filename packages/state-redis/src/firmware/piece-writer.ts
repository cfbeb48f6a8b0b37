import { TandemError } from '@tandem/core';
import { PIECE_BYTES, type Pieces } from './pieces';

/** Pieces of one upload that are on their way to Redis at the same time. */
const IN_FLIGHT = 2;

/** Cuts what comes into pieces. */
export class PieceWriter {
  #piece = Buffer.allocUnsafe(PIECE_BYTES);
  #filled = 0;
  #sent = 0;
  #size = 0;
  readonly #inFlight = new Set<Promise<void>>();
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
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      this.#size += part.length;
      at += part.length;
      if (this.#filled === PIECE_BYTES) await this.#send();
    }
  }

  /** Resolves when all is in Redis. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await Promise.all(this.#inFlight);
    this.#check();
    this.#over = true;
  }

  /** Resolves when nothing is on its way any more. */
  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#inFlight);
  }

  async #send(): Promise<void> {
    const piece = this.#piece.subarray(0, this.#filled);
    // The old one is on its way, and stays as it is until it has arrived.
    this.#piece = Buffer.allocUnsafe(PIECE_BYTES);
    this.#filled = 0;
    const sent = this.pieces.write(this.#sent++, piece).catch((error: unknown) => {
      this.#failure ??= error;
    });
    const done = sent.then(() => void this.#inFlight.delete(done));
    this.#inFlight.add(done);
    while (this.#inFlight.size >= IN_FLIGHT) await Promise.race(this.#inFlight);
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#over) throw new TandemError('STORE_UNAVAILABLE', { message: 'The upload is over' });
  }
}
