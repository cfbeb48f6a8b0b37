import type { Millis } from '@tandem/core';
import { blockMore, blockNumber, blockSize } from './block-option';
import type { PeerState } from './peer';
import type { Bytes } from './settings';
import { TimerEntry, type TimerWheel } from './timer-wheel';

export interface UploadSettings {
  readonly maxBody: Bytes;
  readonly uploadBytesPerPeer: Bytes;
  readonly uploadBytes: Bytes;
  readonly blockLifetime: Millis;
}

/** What one block leads to. */
export type BlockOutcome =
  | { readonly kind: 'complete'; readonly body: Buffer; readonly contentFormat: number | undefined }
  | { readonly kind: 'continue' }
  /** 4.00: a block that is not the last must be full. */
  | { readonly kind: 'malformed' }
  /** 4.08: not the next block of anything we know. */
  | { readonly kind: 'incomplete' }
  /** 4.13 */
  | { readonly kind: 'too_large' };

/** A body being put together. Its memory is charged by capacity. */
class Upload extends TimerEntry {
  buffer: Buffer = Buffer.alloc(0);
  length = 0;

  constructor(
    readonly key: string,
    readonly peer: PeerState,
    readonly contentFormat: number | undefined,
    readonly assembly: BlockAssembly,
  ) {
    super();
  }

  override expire(): void {
    this.assembly.forget(this);
  }
}

/**
 * Block1 (RFC 7959 section 2.5): atomic, in sequence, one body per transfer key at a time; number 0 starts over. Keyed
 * by peer and resource, not by token: clients may change the token from block to block, and libcoap does.
 */
export class BlockAssembly {
  readonly #settings: UploadSettings;
  readonly #wheel: TimerWheel;
  readonly #uploads = new Map<string, Upload>();
  #bytes = 0;

  constructor(settings: UploadSettings, wheel: TimerWheel) {
    this.#settings = settings;
    this.#wheel = wheel;
  }

  /** Memory held by unfinished bodies. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  /** `block1`: the option's value; `size1`: the announced size of the body or -1. */
  add(
    key: string,
    peer: PeerState,
    block1: number,
    size1: number,
    contentFormat: number | undefined,
    payload: Buffer,
  ): BlockOutcome {
    const size = blockSize(block1 & 7);
    const offset = blockNumber(block1) * size;
    const more = blockMore(block1);
    let upload = this.#uploads.get(key);
    if (offset === 0) {
      if (upload !== undefined) this.forget(upload);
      upload = undefined;
      if (!more) return { kind: 'complete', body: payload, contentFormat };
    } else if (upload === undefined || upload.length !== offset) {
      return { kind: 'incomplete' };
    }
    if (more ? payload.length !== size : payload.length > size) return this.#give(upload, 'malformed');
    const length = offset + payload.length;
    if (length > this.#settings.maxBody || size1 > this.#settings.maxBody) return this.#give(upload, 'too_large');
    if (upload === undefined) {
      upload = new Upload(key, peer, contentFormat, this);
      this.#uploads.set(key, upload);
      peer.uploadCount++;
    }
    if (!this.#reserve(upload, length)) return this.#give(upload, 'too_large');
    payload.copy(upload.buffer, offset);
    upload.length = length;
    if (!more) {
      this.forget(upload);
      return { kind: 'complete', body: upload.buffer.subarray(0, length), contentFormat: upload.contentFormat };
    }
    this.#wheel.schedule(upload, this.#settings.blockLifetime);
    return { kind: 'continue' };
  }

  /** For `Upload` only. */
  forget(upload: Upload): void {
    if (this.#uploads.get(upload.key) !== upload) return;
    this.#uploads.delete(upload.key);
    this.#wheel.cancel(upload);
    this.#bytes -= upload.buffer.length;
    upload.peer.uploadBytes -= upload.buffer.length;
    upload.peer.uploadCount--;
  }

  #give(upload: Upload | undefined, kind: 'malformed' | 'too_large'): BlockOutcome {
    if (upload !== undefined) this.forget(upload);
    return { kind };
  }

  #reserve(upload: Upload, length: Bytes): boolean {
    const capacity = upload.buffer.length;
    if (length <= capacity) return true;
    const wanted = Math.max(1024, length, Math.min(capacity * 2, this.#settings.maxBody));
    const more = wanted - capacity;
    const { peer } = upload;
    if (this.#bytes + more > this.#settings.uploadBytes) return false;
    if (peer.uploadBytes + more > this.#settings.uploadBytesPerPeer) return false;
    const grown = Buffer.allocUnsafeSlow(wanted);
    upload.buffer.copy(grown, 0, 0, upload.length);
    upload.buffer = grown;
    this.#bytes += more;
    peer.uploadBytes += more;
    return true;
  }
}
