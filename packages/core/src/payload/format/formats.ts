import type { DeviceSession } from '../../auth/device-session';
import type { Uuid } from '../../devices/model';
import type { CodecFormats } from './codec-formats';
import type { JsonFormat } from './json-format';
import type { PayloadKind } from './payload-codec';
import type { AnswerFormat, PayloadFormat } from './payload-format';

const ANYTHING = '*/*';

/** The formats that profiles prescribe to their devices. */
export interface PrescribedFormats {
  /** The format of the devices of a profile, of now: without a promise where it is known. @throws TandemError STORE_UNAVAILABLE */
  of(profileId: Uuid): PayloadFormat | Promise<PayloadFormat>;
  /** That of a device, of whenever it is asked for. */
  followed(session: DeviceSession): AnswerFormat;
}

/** Which format the payloads of a device are in. */
export class Formats {
  constructor(
    /** What a device speaks that says nothing else. */
    readonly json: JsonFormat,
    private readonly codecs: CodecFormats,
    private readonly prescribed: PrescribedFormats,
  ) {}

  /** What a body over CoAP is in. JSON where its Content-Format says nothing that is known (contract 2.7). */
  ofContentFormat(contentFormat: number | undefined, kind: PayloadKind): PayloadFormat {
    if (contentFormat === undefined || contentFormat === this.json.contentFormat) return this.json;
    return this.codecs.ofContentFormat(contentFormat, kind) ?? this.json;
  }

  /** What a body over HTTP is in. JSON where its Content-Type says nothing that is known (contract 1.1). */
  ofContentType(contentType: string | undefined, kind: PayloadKind): PayloadFormat {
    if (contentType === undefined || contentType === this.json.mediaType) return this.json;
    return this.codecs.ofContentType(contentType, kind) ?? this.json;
  }

  /**
   * What an answer over CoAP is to be in. JSON for an Accept that is not known (contract 2.7).
   * @param usual what is sent to those who do not ask
   */
  acceptedOverCoap(accept: number | undefined, kind: PayloadKind, usual: PayloadFormat = this.json): PayloadFormat {
    if (accept === undefined) return this.codecs.suits(usual, kind) ? usual : this.json;
    return this.codecs.ofContentFormat(accept, kind) ?? this.json;
  }

  /**
   * What an answer over HTTP is to be in. What nothing here can satisfy is passed over (contract 1.6).
   * @param usual what is sent to those who do not ask
   * @param schemas what protobuf is for this device, if it is anything
   */
  acceptedOverHttp(
    accept: string | undefined,
    kind: PayloadKind,
    usual: PayloadFormat = this.json,
    schemas?: PayloadFormat,
  ): PayloadFormat {
    const unasked = this.codecs.suits(usual, kind) ? usual : this.json;
    if (accept === undefined || accept === ANYTHING || accept === unasked.mediaType) return unasked;
    return this.codecs.accepted(accept, kind, unasked, this.json, schemas);
  }

  /** The format of the devices of a profile, of now: without a promise where it is known. */
  ofProfile(profileId: Uuid): PayloadFormat | Promise<PayloadFormat> {
    return this.prescribed.of(profileId);
  }

  /**
   * For a waiter whose events come later.
   * @param accepted the format it asked for, if it did: what a profile prescribes by then goes before it
   */
  answersFor(session: DeviceSession, accepted: PayloadFormat | undefined): AnswerFormat {
    const followed = this.prescribed.followed(session);
    if (accepted === undefined) return followed;
    const chosen = (prescribed: PayloadFormat) => (prescribed === this.json ? accepted : prescribed);
    return {
      current: () => {
        const prescribed = followed.current();
        return prescribed instanceof Promise ? prescribed.then(chosen) : chosen(prescribed);
      },
    };
  }
}
