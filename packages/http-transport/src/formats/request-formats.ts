import {
  type AnswerFormat,
  asksForProtobuf,
  type DeviceSession,
  type Formats,
  type PayloadFormat,
  type PayloadKind,
  saysProtobuf,
} from '@tandem/core';
import type { Framing } from '../requests/framing';

type Named = Pick<Framing, 'contentType' | 'accept'>;

/**
 * In what a request is read and answered: JSON, or what its headers name. Protobuf is there for devices of profiles with
 * schemas, and only where it is asked for: over HTTP such a device speaks JSON otherwise (TV-023).
 */
export class RequestFormats {
  constructor(private readonly formats: Formats) {}

  /** What the body is in; without a promise in all cases but the first of a profile with schemas. */
  ofBody(named: Named, session: DeviceSession, kind: PayloadKind): PayloadFormat | Promise<PayloadFormat> {
    return this.isProtobuf(named, session)
      ? this.formats.ofProfile(session.profileId)
      : this.formats.ofContentType(named.contentType, kind);
  }

  /** Whether the body is in JSON, which is read many times faster than anything else. */
  isJson(named: Named, session: DeviceSession, kind: PayloadKind): boolean {
    const { contentType } = named;
    if (contentType === undefined) return true;
    return !this.isProtobuf(named, session) && this.formats.ofContentType(contentType, kind) === this.formats.json;
  }

  /** Whether the body is in protobuf, of which no bytes are a message as well: one whose fields are all at their defaults. */
  isProtobuf({ contentType }: Named, session: DeviceSession): boolean {
    return hasSchemas(session) && saysProtobuf(contentType);
  }

  /** @param usual what is sent to those who do not ask */
  async ofAnswer(
    { accept }: Named,
    session: DeviceSession,
    kind: PayloadKind,
    usual?: PayloadFormat,
  ): Promise<PayloadFormat> {
    const schemas =
      hasSchemas(session) && asksForProtobuf(accept) ? await this.formats.ofProfile(session.profileId) : undefined;
    return this.formats.acceptedOverHttp(accept, kind, usual, schemas);
  }

  /** For an answer that comes later, from schemas of then. Undefined: JSON. */
  ofPoll({ accept }: Named, session: DeviceSession, kind: PayloadKind): AnswerFormat | undefined {
    const { formats } = this;
    if (hasSchemas(session) && asksForProtobuf(accept)) {
      const followed = formats.answersFor(session, undefined);
      return {
        current: async () => formats.acceptedOverHttp(accept, kind, undefined, await followed.current()),
      };
    }
    const format = formats.acceptedOverHttp(accept, kind);
    return format === formats.json ? undefined : { current: () => format };
  }
}

const hasSchemas = ({ payloadType }: DeviceSession): boolean => payloadType === 'PROTOBUF';
