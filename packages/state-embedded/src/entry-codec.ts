import { decodeRecords, type EpochMillis, type TelemetryEntry, type TelemetryRecord, type Uuid } from '@tandem/core';

const UUID_LENGTH = 36;

/**
 * A log entry as text: the device's id, where its points leave the history `;` and when, a line break, and its records line by
 * line.
 */
export const encodeEntry = ({ deviceId, lines, expiresAt }: TelemetryEntry): string =>
  expiresAt === undefined ? `${deviceId}\n${lines}` : `${deviceId};${expiresAt}\n${lines}`;

/** Between two entries of a row: canonical JSON escapes control characters. One byte of UTF-8. */
export const SEPARATOR = '\x1e';

export const splitEntries = (row: string): string[] => row.split(SEPARATOR);

export const entryDevice = (text: string): Uuid => text.slice(0, UUID_LENGTH);
/** Undefined where the points stay. */
export const entryExpiry = (text: string): EpochMillis | undefined =>
  text[UUID_LENGTH] === ';' ? Number(text.slice(UUID_LENGTH + 1, text.indexOf('\n'))) : undefined;

export const entryLines = (text: string): string => text.slice(text.indexOf('\n', UUID_LENGTH) + 1);
export const entryRecords = (text: string): Generator<TelemetryRecord> => decodeRecords(entryLines(text));
