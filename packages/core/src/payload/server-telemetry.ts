import { TandemError } from '../errors';
import type { EpochMillis } from '../platform/clock';
import { readJson } from './json-reader';
import { MAX_KEY_LENGTH } from './storable-key';
import { type ParsedTelemetry, parseTelemetry } from './telemetry-payload';
import type { PayloadSettings } from './typing';

/**
 * Time series as the server API posts them: the forms, and the leniency, of a device's, but nothing is left out.
 * @throws TandemError BAD_REQUEST with the sentences of server contract 5.3
 */
export function parseServerTelemetry(bytes: Buffer, now: EpochMillis, settings: PayloadSettings): ParsedTelemetry {
  if (!isJson(bytes)) throw refused('Unable to parse time series payload: Invalid JSON body!');
  const parsed = readingOf(() => parseTelemetry(bytes, now, settings));
  if (parsed.droppedKeys > 0)
    throw invalid(`a key is blank, longer than ${MAX_KEY_LENGTH} characters, or looks like HTML`);
  if (parsed.points === 0) throw refused('No time series data found in request body!');
  return parsed;
}

function isJson(bytes: Buffer): boolean {
  try {
    readJson(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function readingOf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

const invalid = (reason: string) => refused(`Unable to parse time series payload. Invalid JSON body: ${reason}`);

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
