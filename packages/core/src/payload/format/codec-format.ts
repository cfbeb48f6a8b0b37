import type { ClaimRequest } from '../../claiming/claiming';
import { TandemError } from '../../errors';
import type { Clock, EpochMillis } from '../../platform/clock';
import { badPayload } from '../bad-payload';
import type { ParsedClientRpc, RpcReply } from '../rpc-payload';
import type { ParsedTelemetry } from '../telemetry-payload';
import type { TypedMembers } from '../typing';
import type { DeviceMessage } from './device-message';
import { type JsonFormat, jsonText } from './json-format';
import type { PayloadCodec, PayloadKind } from './payload-codec';
import type { PayloadFormat } from './payload-format';

/** A codec as a format: its JSON text is read by the rules of JSON mode. */
export class CodecFormat implements PayloadFormat {
  readonly name: string;
  readonly mediaType: string;
  readonly contentFormat: number;

  constructor(
    readonly codec: PayloadCodec,
    private readonly json: JsonFormat,
    private readonly clock: Pick<Clock, 'now'>,
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
    return this.json.readClaim(bytes.length === 0 ? bytes : this.#decoded(bytes, 'claim'));
  }

  write(message: DeviceMessage): Buffer {
    return this.codec.encode(jsonText(message), { kind: message.kind, now: this.clock.now() });
  }

  #decoded(bytes: Buffer, kind: PayloadKind, now = this.clock.now()): Buffer {
    try {
      return Buffer.from(this.codec.decode(bytes, { kind, now }));
    } catch (error) {
      if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') throw error;
      // What a codec says of its own troubles is not for those who sent the bytes.
      throw badPayload(`The payload is no ${this.name}`);
    }
  }
}
