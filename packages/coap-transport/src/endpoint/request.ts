import type { Millis } from '@tandem/core';
import { blockNumber } from './block-option';
import { CON, METHODS, type Method, OPTION } from './codes';
import type { EchoProofs } from './echo';
import type { Frame } from './guard';
import type { Peer, PeerState } from './peer';

/**
 * A request as the handler sees it: complete (Block1 is put together) and new (not a duplicate). One with If-Match or
 * If-None-Match never gets here: they are critical, and nothing here could tell whether they are met.
 */
export interface CoapRequest {
  readonly method: Method;
  readonly peer: Peer;
  /** The CoAP token, 0 to 8 bytes. */
  readonly token: Buffer;
  readonly confirmable: boolean;
  /** Uri-Path options, one string each, neither split nor joined. */
  readonly path: readonly string[];
  /** Uri-Query options, one string each. */
  readonly query: readonly string[];
  readonly payload: Buffer;
  /** Of a GET; 0 asks for a registration, 1 for its end. An end that met a relation never gets here. */
  readonly observe: 0 | 1 | undefined;
  /** With `observe` 0: whether there is room for one more relation. False: an observation would be refused. */
  readonly observable: boolean;
  readonly contentFormat: number | undefined;
  readonly accept: number | undefined;
  /**
   * The handler has found its credentials to be valid. A request of which that has not been said is a stranger's: its
   * answer is at most three times as long as itself, and counts for the limits of its source address.
   * @param owner whose they are, not empty: what is kept of or for a request is charged to its owner, and only its owner sees it
   */
  authenticate(owner: string): void;
  /** A later block of something whose first one has been asked about before. */
  readonly continues: boolean;
  /** Asks for a later block of the answer to something sent before. */
  readonly asksForMore: boolean;
  /**
   * Whether the peer is known to receive what is sent to its address; always where nobody has to prove it (COAP_ECHO). An
   * observation, or anything else that makes us send more than three times what came in, is for those who have:
   * `PROVE_ADDRESS` is the answer to others, before anything is done for them.
   */
  readonly proved: boolean;
  /**
   * Whether this very request shows that: in a secured session, or by an Echo option. `proved` is said also of what anybody may
   * have sent in the name of a peer that was proved before.
   */
  readonly provesItself: boolean;
  /** Hears of the answer, if the handler has put something here: its code as a byte, and how long after the request it left. */
  counted?: CountsAnswers | undefined;
}

export interface CountsAnswers {
  answered(code: number, after: Millis): void;
}

/** Why a request is refused before anybody looks at it. */
export type RequestFault = 'bad_option' | 'proxying' | 'method' | 'bad_block';

export class IncomingRequest implements CoapRequest {
  method: Method = 'GET';
  path: readonly string[] = [];
  query: readonly string[] = NONE;
  observe: 0 | 1 | undefined = undefined;
  observable = false;
  contentFormat: number | undefined = undefined;
  accept: number | undefined = undefined;
  /** The option values as on the wire, -1 when absent. */
  block1 = -1;
  block2 = -1;
  size1 = -1;
  /** Whether there is a Size2 option (RFC 7959 section 4). */
  asksForSize = false;
  /** Of representations that the client has, the first {@link MAX_TAGS}. */
  etags: readonly Buffer[] = NO_TAGS;
  fault: RequestFault | undefined = undefined;
  /** The Echo option: from which byte on, and how long, -1 when absent. */
  echoStart = 0;
  echoLength = -1;
  counted: CountsAnswers | undefined = undefined;
  authenticated = false;
  /** Empty while it is not authenticated. */
  owner = '';
  /** Undefined: nobody has to prove an address. */
  proofs: EchoProofs | undefined = undefined;
  /** Bytes of the blocks that came before this one, the last of its body. */
  earlierBytes = 0;
  readonly confirmable: boolean;
  readonly code: number;
  readonly messageId: number;
  readonly tokenLength: number;
  readonly optionsStart: number;
  readonly optionsEnd: number;
  readonly #payloadStart: number;
  #payload: Buffer | undefined = undefined;

  constructor(
    readonly peer: PeerState,
    readonly datagram: Buffer,
    frame: Frame,
  ) {
    this.confirmable = frame.type === CON;
    this.code = frame.code;
    this.messageId = frame.messageId;
    this.tokenLength = frame.tokenLength;
    this.optionsStart = frame.optionsStart;
    this.optionsEnd = frame.optionsEnd;
    this.#payloadStart = frame.payloadStart;
  }

  get token(): Buffer {
    return this.datagram.subarray(4, 4 + this.tokenLength);
  }

  get payload(): Buffer {
    this.#payload ??= this.datagram.subarray(this.#payloadStart);
    return this.#payload;
  }

  authenticate(owner: string): void {
    this.owner = owner;
    this.authenticated = true;
    this.peer.authenticated = true;
  }

  get continues(): boolean {
    return blockNumber(this.block1) > 0 || this.asksForMore;
  }

  get asksForMore(): boolean {
    return blockNumber(this.block2) > 0;
  }

  get proved(): boolean {
    return this.proofs === undefined || this.peer.session !== undefined || this.proofs.proves(this.peer, this.#echo);
  }

  get provesItself(): boolean {
    return this.peer.session !== undefined || this.proofs?.isProof(this.peer, this.#echo) === true;
  }

  get #echo(): Buffer | undefined {
    const { echoStart, echoLength } = this;
    return echoLength === -1 ? undefined : this.datagram.subarray(echoStart, echoStart + echoLength);
  }

  addTag(tag: Buffer): void {
    if (this.etags.length < MAX_TAGS) this.etags = [...this.etags, tag];
  }

  /** The body put together out of the blocks of which this is the last. */
  set payload(body: Buffer) {
    this.#payload = body;
  }
}

const NONE: readonly string[] = [];
const NO_TAGS: readonly Buffer[] = [];
/** A datagram of a stranger holds hundreds; a client that has more than a few versions of something gets it once more. */
const MAX_TAGS = 8;
/** Uri-Path options up to this length are remembered per peer. */
const MAX_REMEMBERED_PATH = 128;

/** Reads the options of a request whose frame is sound. What is wrong with them goes to `fault`. */
export function readRequest(peer: PeerState, datagram: Buffer, frame: Frame): IncomingRequest {
  const request = new IncomingRequest(peer, datagram, frame);
  const method = METHODS[frame.code];
  if (method !== undefined) request.method = method;
  let query: string[] | undefined;
  let number = 0;
  let at = frame.optionsStart;
  const end = frame.optionsEnd;
  let seen = 0;
  while (at < end) {
    const head = datagram[at] ?? 0;
    if (number < OPTION.URI_PATH && number + (head >> 4) === OPTION.URI_PATH && head >> 4 < 13) {
      at = readPath(request, peer, at, end);
      number = OPTION.URI_PATH;
      continue;
    }
    let delta = head >> 4;
    let length = head & 15;
    at += 1;
    if (delta === 13) delta = 13 + (datagram[at++] ?? 0);
    else if (delta === 14) {
      delta = 269 + (((datagram[at] ?? 0) << 8) | (datagram[at + 1] ?? 0));
      at += 2;
    }
    if (length === 13) length = 13 + (datagram[at++] ?? 0);
    else if (length === 14) {
      length = 269 + (((datagram[at] ?? 0) << 8) | (datagram[at + 1] ?? 0));
      at += 2;
    }
    number += delta;
    const again = delta === 0 && seen > 0;
    seen = 1;
    if (number === OPTION.URI_QUERY && length <= 255) {
      query ??= [];
      query.push(datagram.toString('utf8', at, at + length));
    } else if (!readOption(request, number, datagram, at, length, again) && (number & 1) === 1) {
      // An option that is not understood comes first: it may change the meaning of everything else.
      if (again || !asksForProxy(number, length)) request.fault = 'bad_option';
      else request.fault ??= 'proxying';
    }
    at += length;
  }
  if (query !== undefined) request.query = query;
  if (method === undefined) request.fault ??= 'method';
  if ((request.block1 & 7) === 7 && request.block1 !== -1) request.fault ??= 'bad_block';
  if ((request.block2 & 7) === 7 && request.block2 !== -1) request.fault ??= 'bad_block';
  // A request for a later block continues a representation, it never registers (RFC 7959 section 2.6).
  if (request.method !== 'GET' || blockNumber(request.block2) > 0) request.observe = undefined;
  return request;
}

/** False: an option we do not know, or one whose length or repetition makes it count as such (RFC 7252 5.4.3, 5.4.5). */
function readOption(
  request: IncomingRequest,
  number: number,
  datagram: Buffer,
  at: number,
  length: number,
  again: boolean,
): boolean {
  switch (number) {
    case OPTION.URI_HOST:
      return !again && length >= 1 && length <= 255;
    case OPTION.URI_PORT:
      return !again && length <= 2;
    case OPTION.ACCEPT:
      if (again || length > 2) return false;
      request.accept = uint(datagram, at, length);
      return true;
    case OPTION.BLOCK1:
      if (again || length > 3) return false;
      request.block1 = uint(datagram, at, length);
      return true;
    case OPTION.BLOCK2:
      if (again || length > 3) return false;
      request.block2 = uint(datagram, at, length);
      return true;
    case OPTION.OBSERVE: {
      if (again || length > 3) return false;
      const value = uint(datagram, at, length);
      if (value === 0 || value === 1) request.observe = value;
      return true;
    }
    case OPTION.CONTENT_FORMAT:
      if (!again && length <= 2) request.contentFormat = uint(datagram, at, length);
      return true;
    case OPTION.SIZE1:
      if (!again && length <= 4) request.size1 = uint(datagram, at, length);
      return true;
    case OPTION.SIZE2:
      if (!again && length <= 4) request.asksForSize = true;
      return true;
    case OPTION.ETAG:
      if (length >= 1 && length <= 8) request.addTag(datagram.subarray(at, at + length));
      return true;
    case OPTION.ECHO:
      if (!again && length >= 1 && length <= 40) {
        request.echoStart = at;
        request.echoLength = length;
      }
      return true;
    default:
      return false;
  }
}

/** Proxy-Uri or Proxy-Scheme, of a length that makes sense (RFC 7252 section 5.10). */
function asksForProxy(number: number, length: number): boolean {
  if (number === OPTION.PROXY_URI) return length >= 1 && length <= 1034;
  return number === OPTION.PROXY_SCHEME && length >= 1 && length <= 255;
}

function uint(datagram: Buffer, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (datagram[at + i] ?? 0);
  return value;
}

/**
 * Reads the Uri-Path options from `start` on and returns where they end. A device sends to the same path again and
 * again, so the bytes of its last one are compared before they are decoded.
 */
function readPath(request: IncomingRequest, peer: PeerState, start: number, end: number): number {
  const { datagram } = request;
  const known = peer.pathBytes;
  if (known !== undefined && start + known.length <= end) {
    let i = 0;
    while (i < known.length && known[i] === datagram[start + i]) i++;
    const after = start + i;
    if (i === known.length && (after === end || (datagram[after] ?? 0) >> 4 !== 0)) {
      request.path = peer.path;
      return after;
    }
  }
  const path: string[] = [];
  let at = start;
  while (at < end) {
    const head = datagram[at] ?? 0;
    if (at !== start && head >> 4 !== 0) break;
    let length = head & 15;
    at += 1;
    if (length === 13) length = 13 + (datagram[at++] ?? 0);
    else if (length === 14) {
      length = 269 + (((datagram[at] ?? 0) << 8) | (datagram[at + 1] ?? 0));
      at += 2;
    }
    if (length > 255) request.fault ??= 'bad_option';
    path.push(datagram.toString('utf8', at, at + length));
    at += length;
  }
  request.path = path;
  if (at - start <= MAX_REMEMBERED_PATH) {
    peer.pathBytes = Buffer.from(datagram.subarray(start, at));
    peer.path = path;
  }
  return at;
}

/**
 * What makes two block requests of one peer parts of one transfer: the method and all options that are part of a cache
 * key, Request-Tag among them (RFC 9175 section 3.3). Not the token, which may differ from block to block; nor Observe,
 * which later blocks are asked for without (RFC 7959 section 2.6); nor ETag; nor Content-Format, which is about one body.
 */
export function transferKey(request: IncomingRequest): string {
  const { datagram } = request;
  let key = `${request.peer.key} ${request.code}`;
  let number = 0;
  let at = request.optionsStart;
  while (at < request.optionsEnd) {
    let delta = (datagram[at] ?? 0) >> 4;
    let length = (datagram[at] ?? 0) & 15;
    at += 1;
    if (delta === 13) delta = 13 + (datagram[at++] ?? 0);
    else if (delta === 14) {
      delta = 269 + datagram.readUInt16BE(at);
      at += 2;
    }
    if (length === 13) length = 13 + (datagram[at++] ?? 0);
    else if (length === 14) {
      length = 269 + datagram.readUInt16BE(at);
      at += 2;
    }
    number += delta;
    if (setsApart(number)) key += ` ${number},${length},${datagram.toString('latin1', at, at + length)}`;
    at += length;
  }
  return key;
}

/** What a request is about. */
export type Target = Pick<CoapRequest, 'path' | 'query'>;

/** Of the request that this key was made of. */
export function targetOf(transferKey: string): Target {
  const path: string[] = [];
  const query: string[] = [];
  for (let at = transferKey.indexOf(' ', transferKey.indexOf(' ') + 1); at !== -1 && at < transferKey.length; ) {
    const [entry = '', option, length] = /^ (\d+),(\d+),/.exec(transferKey.slice(at)) ?? [];
    const start = at + entry.length;
    at = start + Number(length);
    const text = () => Buffer.from(transferKey.slice(start, at), 'latin1').toString();
    if (Number(option) === OPTION.URI_PATH) path.push(text());
    else if (Number(option) === OPTION.URI_QUERY) query.push(text());
  }
  return { path, query };
}

/** Letter by letter, whatever else may differ between the requests. */
export const sameTarget = (one: Target, other: Target): boolean =>
  sameTexts(one.path, other.path) && sameTexts(one.query, other.query);

const sameTexts = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((text, i) => text === others[i]);

/** Size1, Size2 and Echo, for example, are NoCacheKey options by their number (RFC 7252 section 5.4.6). */
function setsApart(option: number): boolean {
  return (option & 0x1e) !== 0x1c && !WITHIN_A_TRANSFER.has(option);
}

/** May differ between the blocks of one transfer. */
const WITHIN_A_TRANSFER: ReadonlySet<number> = new Set([
  OPTION.ETAG,
  OPTION.OBSERVE,
  OPTION.CONTENT_FORMAT,
  OPTION.BLOCK2,
  OPTION.BLOCK1,
]);
