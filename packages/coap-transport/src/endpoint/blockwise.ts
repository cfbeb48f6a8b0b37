import { blockExponent, blockMore, blockNumber, withExponentUpTo } from './block-option';
import { BlockAssembly, type BlockOutcome } from './block1-assembly';
import type { BlockBodies } from './block2-bodies';
import { codeByte } from './codes';
import type { OutgoingMessage } from './encoder';
import type { EndpointMetrics } from './endpoint-metrics';
import type { DropReason } from './guard';
import type { PeerState } from './peer';
import { isPromise } from './promise';
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

  constructor(settings: EndpointSettings, handler: RequestHandler, ports: BlockwisePorts) {
    this.#settings = settings;
    this.#handler = handler;
    this.#ports = ports;
    this.#uploads = new BlockAssembly(settings, ports.wheel);
  }

  get uploadBytes(): number {
    return this.#uploads.bytes;
  }

  /** The response of which a GET asks for a later block, where it is kept. Undefined: the request has to be run. */
  kept(request: IncomingRequest): CoapResponse | undefined {
    if (blockNumber(request.block2) === 0 || request.method !== 'GET') return undefined;
    return this.#ports.mayContinue(request) ? this.#ports.bodies.find(transferKey(request)) : undefined;
  }

  /** The handler's response to the whole request, or the answer to a block of it. */
  run(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    if (request.block1 === -1 && !isLaterBlock(request)) return this.#handler(request);
    const refusal = this.#ports.admit(request);
    if (refusal === undefined) return this.#admitted(request);
    return isPromise(refusal) ? refusal.then((found) => found ?? this.#admitted(request)) : refusal;
  }

  /** The message a response becomes: the block asked for, or the first one of a response that is too long. */
  render(request: IncomingRequest, response: CoapResponse, observe: number | undefined): OutgoingMessage {
    const payload = response.payload === undefined ? EMPTY : payloadBytes(response.payload);
    const block1 = request.block1 === -1 ? undefined : withExponentUpTo(this.#settings.blockExponent, request.block1);
    const message: OutgoingMessage = {
      code: codeByte(response.code),
      payload,
      etag: response.etag,
      observe,
      contentFormat: response.contentFormat,
      maxAge: response.maxAge,
      block2: undefined,
      block1,
      size2: undefined,
      size1: response === TOO_LARGE ? this.#uploads.limit : undefined,
    };
    const number = message.code >> 5 === SUCCESS ? blockNumber(request.block2) : 0;
    if (payload.length === 0 && number === 0) return message;
    const { bodies } = this.#ports;
    const exponent = blockExponent(request.block2);
    if (request.block2 === -1 && bodies.fits(payload.length, exponent)) return message;
    const owner = request.authenticated ? { peer: request.peer, transferKey: transferKey(request) } : undefined;
    const block = bodies.cut(message, payload, number, exponent, owner);
    if (block?.block2 !== undefined && number > 0 && owner !== undefined) {
      this.#ports.read(owner.peer, owner.transferKey, blockMore(block.block2));
    }
    return block ?? { code: BAD_REQUEST, block1 };
  }

  #admitted(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    if (!isLaterBlock(request)) return this.#assemble(request);
    // Without the body there is nothing to go on with: running it a second time would do its work a second time.
    return this.#ports.bodies.find(transferKey(request)) ?? this.#refuse('block_incomplete', INCOMPLETE);
  }

  #assemble(request: IncomingRequest): CoapResponse | Promise<CoapResponse> {
    const outcome = this.#uploads.add(transferKey(request), request);
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
        return this.#refuse('body_peer_budget', NO_ROOM);
      case 'budget':
        return this.#refuse('body_budget', NO_ROOM);
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

/** Of the response to anything but a GET: one that is not run again to make the rest of it. */
function isLaterBlock(request: IncomingRequest): boolean {
  return blockNumber(request.block2) > 0 && request.method !== 'GET';
}
