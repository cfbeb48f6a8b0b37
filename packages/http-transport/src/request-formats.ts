import {
  type AnswerFormat,
  asksForProtobuf,
  type DeviceSession,
  type Formats,
  type PayloadFormat,
  type PayloadKind,
  saysProtobuf,
} from '@tandem/core';
import type { Framing } from './framing';

type Named = Pick<Framing, 'contentType' | 'accept'>;

/**
 * In what a request is read and answered: JSON, or what its headers name. Protobuf is there for devices of profiles with
 * schemas, and only where it is asked for: over HTTP such a device speaks JSON otherwise (TV-023).
 */
export class RequestFormats {
  constructor(private readonly formats: Formats) {}

  /** What the body is in; without a promise in all cases but the first of a profile with schemas. */
  ofBody({ contentType }: Named, session: DeviceSession, kind: PayloadKind): PayloadFormat | Promise<PayloadFormat> {
    return hasSchemas(session) && saysProtobuf(contentType)
      ? this.formats.ofProfile(session.profileId)
      : this.formats.ofContentType(contentType, kind);
  }

  /** Whether the body is in JSON, which is read many times faster than anything else. */
  isJson({ contentType }: Named, session: DeviceSession, kind: PayloadKind): boolean {
    if (contentType === undefined) return true;
    if (hasSchemas(session) && saysProtobuf(contentType)) return false;
    return this.formats.ofContentType(contentType, kind) === this.formats.json;
  }

  /** Whether no bytes are a body: a message of protobuf whose fields are all at their defaults has none. */
  isEmptyMessage({ contentType }: Named, session: DeviceSession): boolean {
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
