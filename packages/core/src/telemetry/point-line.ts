import { trustedValue, type Value } from '../payload/value';
import type { EpochMillis } from '../platform/clock';
import type { TelemetryPoint } from '../state/telemetry-view';

/** A point as text, the form in which both stores keep it: `<ts> <value>`. Canonical JSON has no raw line break. */
export const pointLine = (ts: EpochMillis, value: Value): string => `${ts} ${value}`;

export function parsePoint(line: string): TelemetryPoint {
  const space = line.indexOf(' ');
  return { ts: Number(line.slice(0, space)), value: trustedValue(line.slice(space + 1)) };
}
