import type { Millis } from '@tandem/core';
import { blockExponent, blockMore, blockNumber, blockSize } from './block-option';
import type { PeerState } from './peer';
import type { Bytes } from './settings';
import { sourceOf } from './sources';
import { TimerEntry, type TimerWheel } from './timer-wheel';

export interface UploadSettings {
  readonly maxBody: Bytes;
  readonly uploadBytesPerPeer: Bytes;
  readonly uploadBytes: Bytes;
  readonly blockLifetime: Millis;
}

/** What a request says of the block it carries; option values as on the wire, -1 when absent. */
export interface UploadBlock {
  readonly peer: PeerState;
  /** Whose credentials came with it; the share of a peer holds for all peers of one owner. Empty: nobody's. */
  readonly owner: string;
  readonly block1: number;
  /** The announced size of the whole body. */
  readonly size1: number;
  readonly contentFormat: number | undefined;
  readonly payload: Buffer;
}

/** What one block leads to. */
export type BlockOutcome =
  | {
      readonly kind: 'complete';
      readonly body: Buffer;
      readonly contentFormat: number | undefined;
      /** To be called when the body is no longer used: until then its memory is charged. Undefined: nothing is. */
      readonly release: (() => void) | undefined;
    }
  | { readonly kind: 'continue' }
  /** 4.00: a block that is not the last must be full, and none may be longer than it says. Nothing has changed. */
  | { readonly kind: 'malformed' }
  /** 4.08: not the next block of anything we know. Nothing has changed. */
  | { readonly kind: 'incomplete' }
  /** 4.13: longer than `limit`. What there was of it is forgotten. */
  | { readonly kind: 'too_large' }
  /** 5.03: no memory for it now, of that for this peer or owner or for all. What there was of it is forgotten. */
  | { readonly kind: 'peer_budget' }
  | { readonly kind: 'budget' };

const CONTINUE: BlockOutcome = { kind: 'continue' };
const MALFORMED: BlockOutcome = { kind: 'malformed' };
const INCOMPLETE: BlockOutcome = { kind: 'incomplete' };
const TOO_LARGE: BlockOutcome = { kind: 'too_large' };

/** Charged per upload on top of its buffer and its key. */
const OVERHEAD: Bytes = 512;
/** The budget left over for the overhead and the key of a body that has it all to itself. */
const RESERVE: Bytes = 1024;
const FIRST_CAPACITY: Bytes = 1024;

/** A body being put together. Its memory is charged by capacity. */
class Upload extends TimerEntry {
  buffer: Buffer = Buffer.alloc(0);
  length = 0;
  /** What the upload costs of the budgets. */
  charged: Bytes = 0;

  constructor(
    readonly key: string,
    readonly peer: PeerState,
    readonly owner: string,
    public contentFormat: number | undefined,
    readonly assembly: BlockAssembly,
  ) {
    super();
  }

  override expire(): void {
    this.assembly.forget(this);
  }

  /** Whether this block has been put in already. */
  contains(offset: number, payload: Buffer): boolean {
    const end = offset + payload.length;
    return end <= this.length && this.buffer.compare(payload, 0, payload.length, offset, end) === 0;
  }
}

/**
 * Block1 (RFC 7959 section 2.5): atomic, in sequence, one body per transfer key at a time; number 0 starts over. Keyed
 * by peer and resource, not by token: clients may change the token from block to block, and libcoap does. Blocks count
 * by their offset, so a client may change their size in the middle. One that is there already is acknowledged again: its
 * answer was lost, and the client knows no better than to send it as a new message.
 */
export class BlockAssembly {
  /** The longest body there can be: whatever is not longer is refused only for a while. */
  readonly limit: Bytes;
  readonly #settings: UploadSettings;
  readonly #wheel: TimerWheel;
  readonly #strangers: boolean;
  /** In the order of their last blocks. */
  readonly #uploads = new Map<string, Upload>();
  /** What is charged to owners of credentials, whatever the address; none that hold nothing. */
  readonly #owners = new Map<string, Bytes>();
  #bytes = 0;

  /**
   * @param strangers the bodies of those without credentials: charged to their source address, so that no device pays for who
   * writes its address on datagrams; and one that finds no room gets that of the one that waits longest, since whoever holds
   * it may be nobody
   */
  constructor(settings: UploadSettings, wheel: TimerWheel, strangers = false) {
    this.#settings = settings;
    this.#wheel = wheel;
    this.#strangers = strangers;
    const { maxBody, uploadBytes, uploadBytesPerPeer } = settings;
    this.limit = Math.max(0, Math.min(maxBody, Math.min(uploadBytes, uploadBytesPerPeer) - RESERVE));
  }

  /** Memory held by unfinished bodies, and by finished ones that are being worked on. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  add(key: string, block: UploadBlock): BlockOutcome {
    const { block1, payload, contentFormat } = block;
    const size = blockSize(blockExponent(block1));
    const offset = blockNumber(block1) * size;
    const more = blockMore(block1);
    if (more ? payload.length !== size : payload.length > size) return MALFORMED;
    const known = this.#uploads.get(key);
    if (offset === 0) {
      if (known !== undefined) this.forget(known);
      return this.#begin(key, block, more);
    }
    // Blocks of differing formats are never one body (RFC 7959 section 2.3); a block may leave out what another said.
    if (known?.owner !== this.#ownerOf(block) || differ(known.contentFormat, contentFormat)) return INCOMPLETE;
    if (known.length !== offset) return more && known.contains(offset, payload) ? CONTINUE : INCOMPLETE;
    known.contentFormat ??= contentFormat;
    return this.#append(known, block, more);
  }

  /** The body under this key is not going to be continued. */
  drop(key: string): void {
    const upload = this.#uploads.get(key);
    if (upload !== undefined) this.forget(upload);
  }

  /** For `Upload` only. */
  forget(upload: Upload): void {
    if (this.#uploads.get(upload.key) !== upload) return;
    this.#uploads.delete(upload.key);
    this.#wheel.cancel(upload);
    this.#release(upload);
  }

  #begin(key: string, block: UploadBlock, more: boolean): BlockOutcome {
    const { peer, payload, size1, contentFormat } = block;
    if (more) {
      const upload = new Upload(key, peer, this.#ownerOf(block), contentFormat, this);
      this.#uploads.set(key, upload);
      peer.uploadCount++;
      const refusal = this.#charge(upload, OVERHEAD + key.length);
      return refusal ?? this.#append(upload, block, true);
    }
    if (payload.length > this.limit || size1 > this.limit) return TOO_LARGE;
    return { kind: 'complete', body: payload, contentFormat, release: undefined };
  }

  #append(upload: Upload, { payload, size1 }: UploadBlock, more: boolean): BlockOutcome {
    const offset = upload.length;
    const length = offset + payload.length;
    if (length > this.limit || size1 > this.limit) {
      this.forget(upload);
      return TOO_LARGE;
    }
    const refusal = this.#reserve(upload, length);
    if (refusal !== undefined) return refusal;
    payload.copy(upload.buffer, offset);
    upload.length = length;
    if (more) {
      this.#wheel.schedule(upload, this.#settings.blockLifetime);
      this.#uploads.delete(upload.key);
      this.#uploads.set(upload.key, upload);
      return CONTINUE;
    }
    this.#uploads.delete(upload.key);
    this.#wheel.cancel(upload);
    const body = upload.buffer.subarray(0, length);
    return { kind: 'complete', body, contentFormat: upload.contentFormat, release: () => this.#release(upload) };
  }

  /** Makes room for `length` bytes: twice as much as there was, or else as little as will do. */
  #reserve(upload: Upload, length: Bytes): BlockOutcome | undefined {
    const capacity = upload.buffer.length;
    if (length <= capacity) return undefined;
    const least = Math.min(this.limit, Math.max(FIRST_CAPACITY, length));
    const generous = Math.min(this.limit, Math.max(least, 2 * capacity));
    const wanted = this.#shortOf(upload, generous - capacity) === undefined ? generous : least;
    const refusal = this.#charge(upload, wanted - capacity);
    if (refusal !== undefined) return refusal;
    const grown = Buffer.allocUnsafeSlow(wanted);
    upload.buffer.copy(grown, 0, 0, upload.length);
    upload.buffer = grown;
    return undefined;
  }

  #ownerOf({ owner, peer }: UploadBlock): string {
    return this.#strangers ? sourceOf(peer.address) : owner;
  }

  #shortOf({ peer, owner }: Upload, more: Bytes): 'peer_budget' | 'budget' | undefined {
    const held = Math.max(this.#strangers ? 0 : peer.uploadBytes, this.#owners.get(owner) ?? 0);
    if (held + more > this.#settings.uploadBytesPerPeer) return 'peer_budget';
    return this.#bytes + more > this.#settings.uploadBytes ? 'budget' : undefined;
  }

  /** Lets go of what waits longest, until there is room or nothing else. */
  #makeRoom(upload: Upload, more: Bytes): void {
    for (const oldest of this.#uploads.values()) {
      if (this.#bytes + more <= this.#settings.uploadBytes) return;
      if (oldest !== upload) this.forget(oldest);
    }
  }

  /** An upload that cannot go on gives back what it has: two that wait for each other would both never end. */
  #charge(upload: Upload, more: Bytes): BlockOutcome | undefined {
    if (this.#strangers && this.#shortOf(upload, more) === 'budget') this.#makeRoom(upload, more);
    const short = this.#shortOf(upload, more);
    if (short !== undefined) {
      this.forget(upload);
      return { kind: short };
    }
    upload.charged += more;
    if (!this.#strangers) upload.peer.uploadBytes += more;
    this.#chargeOwner(upload.owner, more);
    this.#bytes += more;
    return undefined;
  }

  #release(upload: Upload): void {
    const { peer, owner, charged } = upload;
    upload.charged = 0;
    this.#bytes -= charged;
    if (!this.#strangers) peer.uploadBytes -= charged;
    this.#chargeOwner(owner, -charged);
    peer.uploadCount--;
  }

  #chargeOwner(owner: string, more: Bytes): void {
    if (owner === '') return;
    const held = (this.#owners.get(owner) ?? 0) + more;
    if (held > 0) this.#owners.set(owner, held);
    else this.#owners.delete(owner);
  }
}

function differ(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}
