import { blockExponent, blockMore, blockNumber, blockSize, withExponentUpTo } from './block-option';
import { BlockAssembly, type BlockOutcome } from './block1-assembly';
import type { BlockBodies, BodyOwner } from './block2-bodies';
import { codeByte } from './codes';
import type { OutgoingMessage } from './encoder';
import type { EndpointMetrics } from './endpoint-metrics';
import type { DropReason } from './guard';
import type { PeerState } from './peer';
import { isPromise } from './promise';
import type { Relation } from './relation';
import { type CoapRequest, type IncomingRequest, transferKey } from './request';
import { type CoapResponse, EMPTY, payloadBytes } from './response';
import type { EndpointSettings } from './settings';
import type { TimerWheel } from './timer-wheel';

/** Undefined: the sender has a right to send this. */
export type Admission = (request: CoapRequest) => CoapResponse | undefined | Promise<CoapResponse | undefined>;

export type RequestHandler = (request: CoapRequest) => CoapResponse | Promise<CoapResponse>;

export interface BlockwisePorts {
  readonly wheel: TimerWheel;
  readonly bodies: BlockBodies;
  readonly metrics: EndpointMetrics;
  readonly admit: Admission;
  /** A later block of what is kept under this key is on its way; `more`: not the last one. */
  read(peer: PeerState, transferKey: string, more: boolean): void;
  /** Whether a kept body may still be shown to the sender of this request. */
  mayContinue(request: CoapRequest): boolean;
}

const BAD_REQUEST = codeByte('4.00');
const NOT_FOUND = codeByte('4.04');
const MALFORMED: CoapResponse = { code: '4.00' };
const CONTINUE: CoapResponse = { code: '2.31' };
const INCOMPLETE: CoapResponse = { code: '4.08' };
const TOO_LARGE: CoapResponse = { code: '4.13' };
/** A smaller body would be refused as well: room comes when others end (RFC 9175 section 3.3). In seconds. */
const NO_ROOM: CoapResponse = { code: '5.03', maxAge: 30 };
const SUCCESS = 2;

/**
 * Between blocks and bodies (RFC 7959): the handler sees whole requests and gives whole responses. Nothing is kept of or
 * for anybody who has no right to it.
 */
export class Blockwise {
  readonly #settings: EndpointSettings;
  readonly #handler: RequestHandler;
  readonly #ports: BlockwisePorts;
  readonly #uploads: BlockAssembly;
  readonly #strangerUploads: BlockAssembly;

  constructor(settings: EndpointSettings, handler: RequestHandler, ports: BlockwisePorts) {
    this.#settings = settings;
    this.#handler = handler;
    this.#ports = ports;
    this.#uploads = new BlockAssembly(settings, ports.wheel);
    const ofStrangers = {
      maxBody: settings.maxStrangerBody,
      uploadBytesPerPeer: settings.strangerBytesPerSource,
      uploadBytes: settings.strangerBytes,
      blockLifetime: settings.strangerBlockLifetime,
    };
    this.#strangerUploads = new BlockAssembly(ofStrangers, ports.wheel, true);
  }

  get uploadBytes(): number {
    return this.#uploads.bytes;
  }

  get strangerUploadBytes(): number {
    return this.#strangerUploads.bytes;
  }

  /** The response of which a GET asks for a later block, where it is kept. Undefined: the request has to be run. */
  kept(request: IncomingRequest): CoapResponse | undefined {
    if (blockNumber(request.block2) === 0 || request.method !== 'GET') return undefined;
    const { bodies } = this.#ports;
    return bodies.any && this.#ports.mayContinue(request)
      ? bodies.find(transferKey(request), request.owner)
      : undefined;
  }

  /** The handler's response to the whole request, or the answer to a block of it. */
  run(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const { block1 } = request;
    if (!isLaterBlock(request) && (block1 === -1 || isWhole(block1))) return this.#runOne(request);
    const refusal = this.#ports.admit(request);
    if (refusal === undefined) return this.#admitted(request);
    return isPromise(refusal) ? refusal.then((found) => found ?? this.#admitted(request)) : refusal;
  }

  /**
   * The message a response becomes: the block asked for, or the first one of a response that is too long.
   * @param relation the one this response begins
   * @throws AnswerTooLong when there is no memory for the rest of what an observer is told
   */
  render(request: IncomingRequest, response: CoapResponse, relation: Relation | undefined): OutgoingMessage {
    if (response.cut !== undefined) return withCut(response);
    const payload = response.payload === undefined ? EMPTY : payloadBytes(response.payload);
    const block1 = request.block1 === -1 ? undefined : withExponentUpTo(this.#settings.blockExponent, request.block1);
    const message: OutgoingMessage = {
      code: codeByte(response.code),
      payload,
      etag: response.etag,
      observe: relation?.number,
      contentFormat: response.contentFormat,
      maxAge: response.maxAge,
      block2: undefined,
      block1,
      size2: undefined,
      size1: response === TOO_LARGE ? this.#uploadsOf(request).limit : response.size1,
    };
    const number = message.code >> 5 === SUCCESS ? blockNumber(request.block2) : 0;
    const { bodies } = this.#ports;
    const exponent = blockExponent(request.block2);
    const fits = bodies.fits(payload.length, exponent);
    if (number === 0 && fits && bodies.any) this.#supersede(request, message.code);
    if (payload.length === 0 && number === 0) return message;
    if (request.block2 === -1 && fits) return message;
    const owner = relation ?? ownerOf(request);
    const kind = { observer: relation !== undefined, renewable: request.method === 'GET' };
    const block = bodies.cut(message, payload, number, exponent, owner, kind);
    if (block === undefined && relation !== undefined) {
      this.#refuse('notification_too_long', NO_ROOM);
      throw new AnswerTooLong();
    }
    if (block?.block2 !== undefined && number > 0 && owner !== undefined) {
      this.#ports.read(request.peer, owner.transferKey, blockMore(block.block2));
    }
    return block ?? { code: BAD_REQUEST, block1 };
  }

  /** What is there now has been shown whole: blocks of what was there before must not follow it. */
  #supersede(request: IncomingRequest, code: number): void {
    if (request.method !== 'GET' || !request.authenticated) return;
    if (code >> 5 === SUCCESS || code === NOT_FOUND) this.#ports.bodies.supersede(transferKey(request));
  }

  /** A request that is not in several blocks, whether it says so or not. */
  #runOne(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const { block1, peer } = request;
    if (block1 !== -1) {
      if (request.payload.length > blockSize(blockExponent(block1))) return this.#refuse('block_malformed', MALFORMED);
      // Number 0 starts over: nothing follows what there was before.
      if (peer.uploadCount > 0) this.#drop(transferKey(request));
    }
    return this.#handler(request);
  }

  #admitted(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    if (!isLaterBlock(request)) return this.#assemble(request);
    // Without the body there is nothing to go on with: running it a second time would do its work a second time.
    return this.#ports.bodies.find(transferKey(request), request.owner) ?? this.#refuse('block_incomplete', INCOMPLETE);
  }

  #drop(key: string): void {
    this.#uploads.drop(key);
    this.#strangerUploads.drop(key);
  }

  #uploadsOf({ authenticated }: IncomingRequest): BlockAssembly {
    return authenticated ? this.#uploads : this.#strangerUploads;
  }

  #assemble(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const outcome = this.#uploadsOf(request).add(transferKey(request), request);
    switch (outcome.kind) {
      case 'complete':
        return this.#runWhole(request, outcome);
      case 'continue':
        return CONTINUE;
      case 'malformed':
        return this.#refuse('block_malformed', MALFORMED);
      case 'incomplete':
        return this.#refuse('block_incomplete', INCOMPLETE);
      case 'too_large':
        return this.#refuse('body_too_large', TOO_LARGE);
      case 'peer_budget':
        return this.#refuse('body_peer_budget', noRoom(request));
      case 'budget':
        return this.#refuse('body_budget', noRoom(request));
    }
  }

  #refuse(reason: DropReason, response: CoapResponse): CoapResponse {
    this.#ports.metrics.dropped(reason);
    return response;
  }

  /** A body stays charged until the handler is done with it. */
  #runWhole(
    request: IncomingRequest,
    { body, contentFormat, release }: BlockOutcome & { kind: 'complete' },
  ): CoapResponse | Promise<CoapResponse> {
    request.earlierBytes = body.length - request.payload.length;
    request.payload = body;
    request.contentFormat = contentFormat;
    if (release === undefined) return this.#handler(request);
    let answer: CoapResponse | Promise<CoapResponse> | undefined;
    try {
      answer = this.#handler(request);
    } finally {
      if (answer === undefined || !isPromise(answer)) release();
    }
    return isPromise(answer) ? Promise.resolve(answer).finally(release) : answer;
  }
}

function withCut({ code, payload, etag, contentFormat, maxAge, cut }: CoapResponse): OutgoingMessage {
  const bytes = payloadBytes(payload);
  return { code: codeByte(code), payload: bytes, etag, contentFormat, maxAge, block2: cut?.block2, size2: cut?.size2 };
}

/** To a registration: nobody could have its later blocks, and nobody could make them anew. */
export class AnswerTooLong extends Error {
  readonly response = NO_ROOM;
}

/**
 * What there was of a body goes when it finds no more room. So who sends its first block may send it again later; a stranger
 * who has sent more begins anew, which he is told at once and not when he repeats the block that was refused.
 */
function noRoom({ authenticated, block1 }: IncomingRequest): CoapResponse {
  return authenticated || blockNumber(block1) === 0 ? NO_ROOM : INCOMPLETE;
}

/** The first block, and the last one. */
function isWhole(block1: number): boolean {
  return blockNumber(block1) === 0 && !blockMore(block1);
}

/** Nothing is kept for a stranger. */
function ownerOf(request: IncomingRequest): BodyOwner | undefined {
  const { peer, owner } = request;
  return request.authenticated ? { peer, transferKey: transferKey(request), owner } : undefined;
}

/** Of the response to anything but a GET: one that is not run again to make the rest of it. */
function isLaterBlock(request: IncomingRequest): boolean {
  return request.asksForMore && request.method !== 'GET';
}
