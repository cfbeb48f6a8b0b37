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
}

/** The bodies kept for one peer, least recently used first. */
interface Shelf {
  readonly peerKey: string;
  readonly bodies: Map<string, KeptBody>;
  bytes: Bytes;
}

/** A representation longer than one block, kept so that later blocks come from the same one. */
class KeptBody extends TimerEntry implements CoapResponse {
  readonly code: string;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;

  constructor(
    readonly transferKey: string,
    message: OutgoingMessage,
    readonly payload: Buffer,
    readonly etag: Buffer | undefined,
    readonly shelf: Shelf,
    readonly bodies: BlockBodies,
  ) {
    super();
    this.code = dotted(message.code);
    this.contentFormat = message.contentFormat;
    this.maxAge = message.maxAge;
  }

  get bytes(): Bytes {
    return this.payload.length + this.transferKey.length + OVERHEAD;
  }

  override expire(): void {
    this.bodies.forget(this);
  }
}

/** Charged per body on top of its bytes and its key. */
const OVERHEAD: Bytes = 512;
const SUCCESS = 2;

/**
 * Block2 (RFC 7959 section 2.4): bodies by transfer key, least recently used first to go, within a budget in all and one
 * per peer, so that nobody pushes out the bodies of all others. A body that is no longer there is no error: a GET is run
 * again.
 */
export class BlockBodies {
  readonly #settings: BodySettings;
  readonly #wheel: TimerWheel;
  readonly #bodies = new Map<string, KeptBody>();
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  constructor(settings: BodySettings, wheel: TimerWheel) {
    this.#settings = settings;
    this.#wheel = wheel;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Whether a payload goes in one message to a client that takes blocks of this size. */
  fits(length: Bytes, exponent: number): boolean {
    return length <= blockSize(this.#exponent(exponent));
  }

  /**
   * The block of `message` that begins where block `number` of the size asked for would: with Block2, ETag, and Size2 on
   * the first. Undefined when there is no such block. A body of several blocks is kept for `owner`.
   */
  cut(
    message: OutgoingMessage,
    payload: Buffer,
    number: number,
    exponent: number,
    owner: BodyOwner | undefined,
  ): OutgoingMessage | undefined {
    const ours = this.#exponent(exponent);
    const size = blockSize(ours);
    const start = number * blockSize(exponent);
    const place = start / size;
    if ((start >= payload.length && start > 0) || place >= MAX_BLOCKS) return undefined;
    const long = payload.length > size;
    const etag = message.etag ?? (long ? createHash('sha256').update(payload).digest().subarray(0, 8) : undefined);
    if (long && owner !== undefined && message.code >> 5 === SUCCESS) this.#keep(owner, message, payload, etag);
    const end = Math.min(start + size, payload.length);
    return {
      ...message,
      payload: payload.subarray(start, end),
      etag,
      block2: blockOption(place, end < payload.length, ours),
      size2: place === 0 ? payload.length : undefined,
    };
  }

  /** The whole body that is kept under this key, as the response it was. */
  find(transferKey: string): CoapResponse | undefined {
    return this.#bodies.get(transferKey);
  }

  /** For `KeptBody` only. */
  forget(body: KeptBody): void {
    const { transferKey, shelf } = body;
    if (this.#bodies.get(transferKey) !== body) return;
    this.#wheel.cancel(body);
    this.#bodies.delete(transferKey);
    shelf.bodies.delete(transferKey);
    shelf.bytes -= body.bytes;
    this.#bytes -= body.bytes;
    if (shelf.bodies.size === 0) this.#shelves.delete(shelf.peerKey);
  }

  #exponent(asked: number): number {
    return Math.min(asked, this.#settings.blockExponent);
  }

  #keep(owner: BodyOwner, message: OutgoingMessage, payload: Buffer, etag: Buffer | undefined): void {
    const { transferKey, peer } = owner;
    const before = this.#bodies.get(transferKey);
    if (before !== undefined) this.forget(before);
    const shelf = this.#shelves.get(peer.key) ?? { peerKey: peer.key, bodies: new Map(), bytes: 0 };
    const body = new KeptBody(transferKey, message, alone(payload), etag, shelf, this);
    const { downloadBytes, downloadBytesPerPeer, blockLifetime } = this.#settings;
    if (body.bytes > Math.min(downloadBytes, downloadBytesPerPeer)) return;
    this.#shelves.set(peer.key, shelf);
    this.#bodies.set(transferKey, body);
    shelf.bodies.set(transferKey, body);
    shelf.bytes += body.bytes;
    this.#bytes += body.bytes;
    this.#wheel.schedule(body, blockLifetime);
    for (const oldest of shelf.bodies.values()) {
      if (shelf.bytes <= downloadBytesPerPeer) break;
      this.forget(oldest);
    }
    for (const oldest of this.#bodies.values()) {
      if (this.#bytes <= downloadBytes) break;
      this.forget(oldest);
    }
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
