import { concurrently } from '../concurrently';
import { acknowledgementOf, classifyReply, dottedCode, readdress, telemetryDatagram } from './coap-message';
import { DRAIN_LIMIT_MS, type Load, type MonotonicMicros } from './load';
import type { LoadRecorder } from './load-recorder';
import type { OpenChannel, PeerChannel } from './peer-channel';

const CREATED = 0x41;
/** RFC 7252 section 4.8: MAX_RETRANSMIT. */
const MAX_RETRANSMIT = 4;
/** How long a response may take after an empty acknowledgement. */
const SEPARATE_RESPONSE_MICROS = 30_000_000;

/** Channels that are opened at the same time: a handshake of DTLS keeps the server busy for a while. */
const OPENED_AT_ONCE = 32;

export interface CoapLoadOptions {
  readonly open: OpenChannel;
  /** Number of channels, each with a source port of its own and at most one request outstanding. */
  readonly peers: number;
  /** Requests outstanding over all peers. */
  readonly window: number;
  /** Access tokens; peer i posts as device i modulo their number. */
  readonly tokens: readonly string[];
  readonly body: string;
  /** First retransmission time-out, doubled with each retransmission. */
  readonly ackTimeoutMs: number;
  readonly recorder: LoadRecorder;
  readonly now: MonotonicMicros;
  /** 0 <= x < 1; where message ids and tokens of a peer begin. */
  readonly random: () => number;
}

/**
 * Posts telemetry in confirmable messages from many peers. The channels stay open from one start to the next, so that a
 * peer never repeats a message id within EXCHANGE_LIFETIME (RFC 7252 section 4.4): a server would rightly take it for
 * a duplicate and answer from its memory. 65536 ids a peer last for 512 peers at 100000 requests/s for 335 s.
 */
export class CoapLoad implements Load {
  private peers: CoapPeer[] = [];
  private readonly idle: CoapPeer[] = [];
  private idleHead = 0;
  private running = false;
  private outstanding = 0;
  private drained: (() => void) | undefined;
  private retransmissionTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: CoapLoadOptions) {}

  async start(): Promise<void> {
    const { peers, tokens, window, ackTimeoutMs } = this.options;
    if (this.peers.length === 0) {
      this.peers = Array.from(
        { length: peers },
        (_, i) => new CoapPeer(this.options, tokens[i % tokens.length] ?? '', (peer) => this.finished(peer)),
      );
      await concurrently(this.peers, OPENED_AT_ONCE, (peer) => peer.open());
      this.idle.push(...this.peers);
    }
    this.running = true;
    this.retransmissionTimer = setInterval(() => this.retransmitDue(), ackTimeoutMs / 8);
    for (let i = 0; i < Math.min(window, peers); i += 1) {
      this.sendNext();
    }
  }

  async stop(): Promise<void> {
    this.running = false;
    if (this.outstanding > 0) {
      await new Promise<void>((resolve) => {
        const giveUp = setTimeout(() => this.giveUpAll(), DRAIN_LIMIT_MS);
        this.drained = () => {
          clearTimeout(giveUp);
          resolve();
        };
      });
    }
    clearInterval(this.retransmissionTimer);
  }

  close(): void {
    for (const peer of this.peers) {
      peer.close();
    }
  }

  /** The peer that has been idle longest: with window < peers the source port changes with every datagram. */
  private sendNext(): void {
    const peer = this.idle[this.idleHead];
    if (peer === undefined) {
      return;
    }
    this.idleHead += 1;
    if (this.idleHead >= this.peers.length) {
      this.idle.splice(0, this.idleHead);
      this.idleHead = 0;
    }
    this.outstanding += 1;
    peer.send();
  }

  private finished(peer: CoapPeer): void {
    this.outstanding -= 1;
    this.idle.push(peer);
    if (this.running) {
      this.sendNext();
    } else if (this.outstanding === 0) {
      this.drained?.();
      this.drained = undefined;
    }
  }

  private retransmitDue(): void {
    const now = this.options.now();
    for (const peer of this.peers) {
      peer.retransmitIfDue(now);
    }
  }

  private giveUpAll(): void {
    for (const peer of this.peers) {
      peer.giveUp();
    }
  }
}

class CoapPeer {
  private channel: PeerChannel | undefined;
  private readonly datagram: Buffer;
  private messageId: number;
  private token: number;
  private outstanding = false;
  private sentAt = 0;
  private deadline = 0;
  private transmissions = 0;
  private acknowledged = false;

  constructor(
    private readonly options: CoapLoadOptions,
    accessToken: string,
    private readonly finished: (peer: CoapPeer) => void,
  ) {
    this.messageId = Math.floor(options.random() * 0x10000);
    this.token = Math.floor(options.random() * 0x100000000);
    this.datagram = telemetryDatagram(accessToken, options.body);
  }

  async open(): Promise<void> {
    this.channel = await this.options.open({
      received: (reply) => this.received(reply),
      failed: (reason) => this.end(`socket: ${reason}`),
    });
  }

  send(): void {
    this.messageId = (this.messageId + 1) & 0xffff;
    this.token = (this.token + 1) >>> 0;
    readdress(this.datagram, this.messageId, this.token);
    this.outstanding = true;
    this.acknowledged = false;
    this.transmissions = 1;
    this.sentAt = this.options.now();
    this.deadline = this.sentAt + this.options.ackTimeoutMs * 1000;
    this.channel?.send(this.datagram);
  }

  retransmitIfDue(now: number): void {
    if (!this.outstanding || now < this.deadline) {
      return;
    }
    if (this.acknowledged || this.transmissions > MAX_RETRANSMIT) {
      this.giveUp();
      return;
    }
    this.deadline = now + this.options.ackTimeoutMs * 1000 * 2 ** this.transmissions;
    this.transmissions += 1;
    this.options.recorder.retransmissions += 1;
    this.channel?.send(this.datagram);
  }

  giveUp(): void {
    this.end(this.acknowledged ? 'no response after the acknowledgement' : 'no answer');
  }

  close(): void {
    this.channel?.close();
  }

  private received(reply: Buffer): void {
    const acknowledgement = acknowledgementOf(reply);
    if (acknowledgement !== undefined) {
      this.channel?.send(acknowledgement);
    }
    if (!this.outstanding) {
      return;
    }
    switch (classifyReply(reply, this.messageId, this.token)) {
      case 'piggybacked':
      case 'separate':
        this.end(reply[1] === CREATED ? undefined : `code ${dottedCode(reply[1] ?? 0)}`);
        return;
      case 'acknowledged':
        this.acknowledged = true;
        this.deadline = this.options.now() + SEPARATE_RESPONSE_MICROS;
        return;
      case 'reset':
        this.end('RST');
        return;
      case 'stale':
        return;
    }
  }

  private end(failure: string | undefined): void {
    if (!this.outstanding) {
      return;
    }
    this.outstanding = false;
    if (failure === undefined) {
      this.options.recorder.success(this.options.now() - this.sentAt);
    } else {
      this.options.recorder.failure(failure);
    }
    this.finished(this);
  }
}
