import { decodeRecords, type EpochMillis, type TelemetryEntry, type TelemetryRecord, type Uuid } from '@tandem/core';

/**
 * The telemetry log in Redis, for whoever reads it: `partitions` streams `<prefix>:telemetry:{<n>}`, n from 0; their number
 * is field `partitions` of the hash `<prefix>:{registry}:meta`. A device is always in the same stream, in the order in which
 * its messages were accepted. One entry of a stream is one accepted message, with fields:
 *
 *   d   the device's id, a UUID
 *   m   one line for each record: timestamp in milliseconds, a space, and the values as a JSON object, such as
 *       1700000000000 {"temperature":42.0,"on":true}
 *   x   only where its points leave the history at a time of their own: milliseconds since 1970
 *
 * A number keeps its form: `42` is an integer, of up to 64 bits, `42.0` is not. Any program may read with a consumer group
 * of its own on every stream. What it has not acknowledged stays; when it stops reading, it holds the log back until
 * TANDEM_CONSUMER_GROUP_TTL ends its group.
 */
export const encodeMessage = ({ lines }: TelemetryEntry): string => lines;

/** The device as telemetry-append.lua takes it. */
export const encodeDevice = ({ deviceId, expiresAt }: TelemetryEntry): string =>
  expiresAt === undefined ? deviceId : `${deviceId};${expiresAt}`;

/** An entry as a read gives it: its id, then fields and values by turns, or null where the entry is gone. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];

/** Undefined for an entry that is not of our form: another program may have written to the stream. */
export function deviceOf([, fields]: StreamEntry): Uuid | undefined {
  return fields?.[0] === 'd' && fields[2] === 'm' ? fields[1] : undefined;
}

/** As `encodeMessage` made it. */
export const messageOf = ([, fields]: StreamEntry): string => fields?.[3] ?? '';
/** Undefined where its points stay. */
export function expiryOf([, fields]: StreamEntry): EpochMillis | undefined {
  const expiry = fields?.[4] === 'x' ? Number(fields[5]) : undefined;
  return Number.isSafeInteger(expiry) ? expiry : undefined;
}

/** @throws TandemError INTERNAL when the text is damaged */
export const recordsOf = (entry: StreamEntry): Iterable<TelemetryRecord> => decodeRecords(messageOf(entry));

/** `<milliseconds>-<sequence>`: the order of the entries of a stream. */
export function isAfter(a: string, b: string): boolean {
  const [timeA = '', sequenceA = ''] = a.split('-');
  const [timeB = '', sequenceB = ''] = b.split('-');
  return timeA === timeB ? Number(sequenceA) > Number(sequenceB) : Number(timeA) > Number(timeB);
}
