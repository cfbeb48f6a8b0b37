import { codeByte, type MessageType } from './codes';
import { encodeMessage, type OutgoingMessage } from './encoder';
import type { ObservePorts } from './observe-ports';
import type { Relation } from './relation';
import { type CoapResponse, payloadBytes } from './response';

const MAX_TOKEN = 8;

/** Messages to an observer: with its token, and those that are sent once with an id of their own. */
export class ObserveSender {
  readonly #ports: Pick<ObservePorts, 'reliability' | 'send' | 'dropped'>;
  /** The token of the message being written. */
  readonly #token = Buffer.alloc(MAX_TOKEN);

  constructor(ports: Pick<ObservePorts, 'reliability' | 'send' | 'dropped'>) {
    this.#ports = ports;
  }

  /** False: there is no message id for it. */
  once(relation: Relation, type: MessageType, message: OutgoingMessage): boolean {
    const messageId = this.#ports.reliability.messageId(relation.peer);
    if (messageId === -1) {
      this.#ports.dropped('no_message_id');
      return false;
    }
    relation.rememberNonId(messageId);
    this.#ports.send(this.encode(type, messageId, message, relation), relation.peer);
    return true;
  }

  encode(type: MessageType, messageId: number, message: OutgoingMessage, { tokenKey }: Relation): Buffer {
    const length = this.#token.write(tokenKey, 'hex');
    return encodeMessage(type, messageId, message, this.#token, 0, length);
  }
}

/** Without an Observe option: else a client need not take it as the end (RFC 7641 section 3.2). */
export function finalMessage(final: CoapResponse): OutgoingMessage {
  const { code, payload, contentFormat, maxAge } = final;
  return { code: codeByte(code), payload: payloadBytes(payload), contentFormat, maxAge };
}
