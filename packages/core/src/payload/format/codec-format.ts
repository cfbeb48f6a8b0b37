import type { ClaimRequest } from '../../claiming/claiming';
import { TandemError } from '../../errors';
import type { Clock, EpochMillis } from '../../platform/clock';
import type { Faults } from '../../platform/faults';
import type { Logger } from '../../platform/logger';
import { badPayload } from '../bad-payload';
import type { ParsedClientRpc, RpcReply } from '../rpc-payload';
import type { ParsedTelemetry } from '../telemetry-payload';
import type { TypedMembers } from '../typing';
import type { DeviceMessage } from './device-message';
import { type JsonFormat, jsonText } from './json-format';
import type { PayloadCodec, PayloadKind } from './payload-codec';
import type { PayloadFormat } from './payload-format';

export interface CodecPorts {
  readonly clock: Pick<Clock, 'now'>;
  /** For what goes wrong with every message: one that does not repeat itself. */
  readonly logger: Logger;
  /** For faults with a correlation id. */
  readonly faults: Pick<Faults, 'write'>;
}

/**
 * A codec as a format: its JSON text is read by the rules of JSON mode, but that a number with a point or an exponent is
 * always a DOUBLE.
 */
export class CodecFormat implements PayloadFormat {
  readonly name: string;
  readonly mediaType: string;
  readonly contentFormat: number;
  #saidLate = false;

  constructor(
    readonly codec: PayloadCodec,
    private readonly json: JsonFormat,
    private readonly ports: CodecPorts,
  ) {
    this.name = codec.name;
    this.mediaType = codec.mediaTypes[0] ?? json.mediaType;
    this.contentFormat = codec.contentFormat ?? json.contentFormat;
  }

  readTelemetry(bytes: Buffer, now: EpochMillis): ParsedTelemetry {
    return this.json.readTelemetry(this.#decoded(bytes, 'telemetry', now), now);
  }

  readAttributes(bytes: Buffer): TypedMembers {
    return this.json.readAttributes(this.#decoded(bytes, 'attributes'));
  }

  readClientRpc(bytes: Buffer, options: { readonly paramsRequired: boolean }): ParsedClientRpc {
    return this.json.readClientRpc(this.#decoded(bytes, 'command'), options);
  }

  readReply(bytes: Buffer, shape: 'any' | 'object'): RpcReply {
    return this.json.readReply(this.#decoded(bytes, 'reply'), shape);
  }

  readClaim(bytes: Buffer): ClaimRequest {
    return this.json.readClaim(bytes.length === 0 ? '' : this.#decoded(bytes, 'claim'));
  }

  write(message: DeviceMessage): Buffer {
    const { kind } = message;
    try {
      const bytes: unknown = this.codec.encode(this.text(message), { kind, now: this.ports.clock.now() });
      this.#refuseLate(bytes);
      if (!(bytes instanceof Uint8Array)) throw new Error('encode has to return a Buffer');
      return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
    } catch (error) {
      const { logger, faults } = this.ports;
      const line = 'a payload codec failed to encode';
      const failure = new TandemError(kind === 'command' ? 'UNDELIVERABLE' : 'INTERNAL', { cause: error });
      if (failure.code === 'INTERNAL') failure.logFault(faults, line, { codec: this.name, kind });
      else logger.error(line, { codec: this.name, kind, error: described(error) });
      throw failure;
    }
  }

  /** What the codec is to encode. */
  protected text(message: DeviceMessage): string {
    return jsonText(message);
  }

  /** A promise that nobody listens to would end the process when it is rejected. */
  #refuseLate(answer: unknown): void {
    if (!isThenable(answer)) return;
    Promise.resolve(answer).catch(() => {});
    if (!this.#saidLate) {
      this.ports.logger.error('a payload codec answered with a promise: codecs answer at once', { codec: this.name });
    }
    this.#saidLate = true;
    throw new Error('codecs answer at once, not with a promise');
  }

  #decoded(bytes: Buffer, kind: PayloadKind, now = this.ports.clock.now()): string {
    try {
      const text: unknown = this.codec.decode(bytes, { kind, now });
      this.#refuseLate(text);
      if (typeof text !== 'string') throw new Error('decode has to return JSON text');
      return text;
    } catch (error) {
      if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') throw error;
      const { logger } = this.ports;
      if (logger.debugEnabled) {
        logger.debug('a payload codec refused a body', { codec: this.name, kind, error: described(error) });
      }
      // What a codec says of its own troubles is not for those who sent the bytes.
      throw badPayload(`The payload is no ${this.name}`);
    }
  }
}

const isThenable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';

const described = (error: unknown): string | undefined => (error instanceof Error ? error.stack : String(error));
