import { createHash } from 'node:crypto';
import type { Millis } from '@tandem/core';
import { blockOption, blockSize, MAX_BLOCKS } from './block-option';
import type { OutgoingMessage } from './encoder';
import type { Peer } from './peer';
import type { CoapResponse } from './response';
import type { Bytes } from './settings';
import { TimerEntry, type TimerWheel } from './timer-wheel';

export interface BodySettings {
  readonly downloadBytes: Bytes;
  readonly downloadBytesPerPeer: Bytes;
  readonly blockLifetime: Millis;
  /** The largest block we send: 0 to 6 for 16 to 1024 bytes. */
  readonly blockExponent: number;
}

/** Whose body it is, and under which name later blocks are asked for. */
export interface BodyOwner {
  readonly peer: Peer;
  readonly transferKey: string;
  /** Whose credentials it was made for: nobody else's show it, even under the same name. */
  readonly owner: string;
}

/** The bodies kept for one peer, least recently used first; those of notifications that are unread are not among them. */
interface Shelf {
  readonly bodies: Set<KeptBody>;
  bytes: Bytes;
}

/** A representation longer than one block, kept so that later blocks come from the same one. */
class KeptBody extends TimerEntry implements CoapResponse {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;

  readonly transferKey: string;
  readonly owner: string;
  readonly peerKey: string;

  constructor(
    owner: BodyOwner,
    message: OutgoingMessage,
    readonly payload: Buffer,
    readonly etag: Buffer | undefined,
    /** The observation whose message it is, until that has been read. */
    public reader: BodyOwner | undefined,
    /** Not a reply to a POST, which would do its work again. */
    readonly renewable: boolean,
    readonly bodies: BlockBodies,
  ) {
    super();
    this.transferKey = owner.transferKey;
    this.owner = owner.owner;
    this.peerKey = owner.peer.key;
    this.code = dotted(message.code);
    this.contentFormat = message.contentFormat;
    this.maxAge = message.maxAge;
  }

  get bytes(): Bytes {
    return this.payload.length + this.transferKey.length + OVERHEAD;
  }

  override expire(): void {
    this.bodies.expired(this);
  }
}

/** Charged per body on top of its bytes and its key. */
const OVERHEAD: Bytes = 512;
const SUCCESS = 2;
/** How long a body is its reader's, from the last time a block of it was asked for. */
const READER_TIME: Millis = 10_000;

/**
 * Block2 (RFC 7959 section 2.4): bodies by transfer key, least recently used first to go, within a budget in all and one
 * per peer, so that nobody pushes out the bodies of all others. A body that is no longer there is no error: a GET is run
 * again. A message to an observer cannot be made again, so its body has a reader: it counts for the budget in all only, and
 * goes last, after those a GET makes anew and the replies to a POST.
 */
export class BlockBodies {
  readonly #settings: BodySettings;
  readonly #wheel: TimerWheel;
  readonly #evicted: () => void;
  readonly #bodies = new Map<string, KeptBody>();
  /** The same bodies in the order in which they go: renewable ones, replies to a POST, those with a reader. */
  readonly #ranks: readonly [Set<KeptBody>, Set<KeptBody>, Set<KeptBody>] = [new Set(), new Set(), new Set()];
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  /** `evicted`: told of a body with a reader that had to go for another one. */
  constructor(settings: BodySettings, wheel: TimerWheel, evicted: () => void = () => {}) {
    this.#settings = settings;
    this.#wheel = wheel;
    this.#evicted = evicted;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Whether anything is kept. */
  get any(): boolean {
    return this.#bodies.size > 0;
  }

  /** Whether a payload goes in one message to a client that takes blocks of this size. */
  fits(length: Bytes, exponent: number): boolean {
    return length <= blockSize(this.#exponent(exponent));
  }

  /**
   * The block of `message` that begins where block `number` of the size asked for would: with Block2, ETag, and Size2 on
   * the first. Undefined when there is no such block. A body of several blocks is kept for `owner`; with `observer` it is
   * kept until `release`, and there is no block of one that cannot be.
   */
  cut(
    message: OutgoingMessage,
    payload: Buffer,
    number: number,
    exponent: number,
    owner: BodyOwner | undefined,
    { observer = false, renewable = true }: { readonly observer?: boolean; readonly renewable?: boolean } = {},
  ): OutgoingMessage | undefined {
    const ours = this.#exponent(exponent);
    const size = blockSize(ours);
    const start = number * blockSize(exponent);
    const place = start / size;
    if ((start >= payload.length && start > 0) || place >= MAX_BLOCKS) return undefined;
    const long = payload.length > size;
    const etag = message.etag ?? (long ? createHash('sha256').update(payload).digest().subarray(0, 8) : undefined);
    if (long && owner !== undefined && message.code >> 5 === SUCCESS) {
      const kept = this.#keep(owner, message, payload, etag, observer, renewable);
      if (observer && !kept) return undefined;
    }
    const end = Math.min(start + size, payload.length);
    return {
      ...message,
      payload: payload.subarray(start, end),
      etag,
      block2: blockOption(place, end < payload.length, ours),
      size2: place === 0 ? payload.length : undefined,
    };
  }

  /** The whole body that is kept under this key for this owner, as the response it was. Empty: for whoever. */
  find(transferKey: string, owner: string): CoapResponse | undefined {
    const body = this.#bodies.get(transferKey);
    return owner === '' || body?.owner === owner ? body : undefined;
  }

  /** A newer representation has been shown: later blocks must not come from an older one. One with a reader stays. */
  supersede(transferKey: string): void {
    const body = this.#bodies.get(transferKey);
    if (body !== undefined && body.reader === undefined) this.forget(body);
  }

  /** What was kept for this observer has been read, or nobody reads it any more: from now on it is one like others. */
  release(reader: BodyOwner): void {
    const body = this.#bodies.get(reader.transferKey);
    if (body?.reader === reader) this.#release(body);
  }

  /** For `KeptBody` only. Who has not read in time may still find it, where nothing else needs its place. */
  expired(body: KeptBody): void {
    if (body.reader === undefined) this.forget(body);
    else this.#release(body);
  }

  #release(body: KeptBody): void {
    this.#rank(body).delete(body);
    body.reader = undefined;
    this.#rank(body).add(body);
    this.#schedule(body);
    this.#shelve(body);
  }

  /** For `KeptBody` only. */
  forget(body: KeptBody): void {
    if (this.#bodies.get(body.transferKey) !== body) return;
    this.#wheel.cancel(body);
    this.#bodies.delete(body.transferKey);
    this.#rank(body).delete(body);
    this.#bytes -= body.bytes;
    if (body.reader === undefined) this.#unshelve(body);
  }

  #exponent(asked: number): number {
    return Math.min(asked, this.#settings.blockExponent);
  }

  #rank({ reader, renewable }: KeptBody): Set<KeptBody> {
    return this.#ranks[reader !== undefined ? 2 : renewable ? 0 : 1];
  }

  /** @returns whether it is kept */
  #keep(
    owner: BodyOwner,
    message: OutgoingMessage,
    payload: Buffer,
    etag: Buffer | undefined,
    observer: boolean,
    renewable: boolean,
  ): boolean {
    const before = this.#bodies.get(owner.transferKey);
    if (before !== undefined && before.payload === payload && before.owner === owner.owner && !observer) {
      this.#touch(before);
      return true;
    }
    // Who is told of a change reads it to its end; who only asks what there is now can ask again.
    if (before?.reader !== undefined && !observer) return false;
    const { downloadBytes, downloadBytesPerPeer } = this.#settings;
    const reader = observer ? owner : undefined;
    const body = new KeptBody(owner, message, alone(payload), etag, reader, renewable, this);
    if (before !== undefined) {
      if (before.reader !== undefined) this.#evicted();
      this.forget(before);
    }
    if (body.bytes > (observer ? downloadBytes : Math.min(downloadBytes, downloadBytesPerPeer))) return false;
    this.#bodies.set(body.transferKey, body);
    this.#rank(body).add(body);
    this.#bytes += body.bytes;
    this.#schedule(body);
    if (!observer) this.#shelve(body);
    this.#makeRoom(body);
    return this.#bodies.get(body.transferKey) === body;
  }

  /** It has been used. */
  #touch(body: KeptBody): void {
    const rank = this.#rank(body);
    rank.delete(body);
    rank.add(body);
    const shelved = this.#shelves.get(body.peerKey)?.bodies;
    if (shelved?.delete(body)) shelved.add(body);
    this.#schedule(body);
  }

  #schedule(body: KeptBody): void {
    this.#wheel.schedule(body, body.reader === undefined ? this.#settings.blockLifetime : READER_TIME);
  }

  /** In all. One without a reader never takes the place of one that has. */
  #makeRoom(newest: KeptBody): void {
    for (const rank of this.#ranks) {
      for (const oldest of rank) {
        if (this.#bytes <= this.#settings.downloadBytes) return;
        if (oldest === newest && newest.reader !== undefined) continue;
        if (oldest.reader !== undefined) this.#evicted();
        this.forget(oldest);
      }
    }
  }

  /** On the shelf of its peer, from which older ones go. It stays itself, even if it had a reader and is longer than that. */
  #shelve(body: KeptBody): void {
    const shelf = this.#shelves.get(body.peerKey) ?? { bodies: new Set(), bytes: 0 };
    this.#shelves.set(body.peerKey, shelf);
    shelf.bodies.add(body);
    shelf.bytes += body.bytes;
    for (const oldest of shelf.bodies) {
      if (shelf.bytes <= this.#settings.downloadBytesPerPeer) break;
      if (oldest !== body) this.forget(oldest);
    }
  }

  #unshelve(body: KeptBody): void {
    const shelf = this.#shelves.get(body.peerKey);
    if (shelf === undefined || !shelf.bodies.delete(body)) return;
    shelf.bytes -= body.bytes;
    if (shelf.bodies.size === 0) this.#shelves.delete(body.peerKey);
  }
}

/** In memory of its own: a part of a larger buffer would keep all of that alive, and only the part is charged. */
function alone(payload: Buffer): Buffer {
  if (payload.buffer.byteLength === payload.length) return payload;
  const copy = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(copy);
  return copy;
}

/** The code's byte as a handler says it: 0x45 is `'2.05'`. */
function dotted(code: number): string {
  return `${code >> 5}.${`${code & 31}`.padStart(2, '0')}`;
}
