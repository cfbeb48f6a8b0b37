import { isSpanContextValid, type SpanContext, TraceFlags } from '@opentelemetry/api';

/** W3C Trace Context, section 3.2: version 00 ends with its flags, later ones may go on. */
const TRACEPARENT = /^(?!ff)(?:00|([0-9a-f]{2}))-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** What a `traceparent` names; undefined for a text that is none. */
export function spanContextOf(traceparent: string): SpanContext | undefined {
  // Whatever a header says: one that is longer than anything a later version might have is not looked at.
  const found = traceparent.length <= 256 ? TRACEPARENT.exec(traceparent) : null;
  if (!found) return undefined;
  const [, laterVersion, traceId = '', spanId = '', flags = '', more] = found;
  if (more !== undefined && laterVersion === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const named: SpanContext = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(named) ? named : undefined;
}

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
