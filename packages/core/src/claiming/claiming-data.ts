import { type Value, valueToText } from '../payload/value';
import type { EpochMillis } from '../platform/clock';

export interface ClaimingData {
  readonly secretKey: string;
  readonly expirationTime: EpochMillis;
}

/**
 * The SERVER attribute `claimingData` (server contract 7): `{"secretKey":"...","expirationTime":n}`, as JSON or as a string that
 * holds it. Whoever wrote it need not have done so well: undefined where it is something else.
 */
export function readClaimingData(value: Value): ClaimingData | undefined {
  const data = parse(valueToText(value));
  if (typeof data !== 'object' || data === null) return undefined;
  const { secretKey = '', expirationTime } = data as Readonly<Record<string, unknown>>;
  if (typeof expirationTime !== 'number') return undefined;
  if (secretKey === null) return { secretKey: '', expirationTime };
  return typeof secretKey === 'string' ? { secretKey, expirationTime } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
