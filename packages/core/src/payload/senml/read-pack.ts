import type { EpochMillis } from '../../platform/clock';
import { badPayload } from '../bad-payload';
import type { JsonNode } from '../json-node';
import { quote } from '../value';
import { type Measurement, resolvePack } from './resolve';

/** Times below it count from now (RFC 8428 section 4.5.3). */
const FIRST_ABSOLUTE_TIME = 2 ** 28;

/**
 * A pack as a telemetry body of contract 3.2, the measurements grouped by their time. Of two of the same name and time the
 * last one counts.
 * @throws TandemError BAD_PAYLOAD
 */
export function telemetryOfPack(root: JsonNode, now: EpochMillis): string {
  const groups = new Map<EpochMillis, Map<string, string>>();
  for (const { key, value, measurement } of membersOf(resolvePack(root))) {
    const ts = timestamp(measurement.time, now);
    const group = groups.get(ts) ?? new Map<string, string>();
    groups.set(ts, group.set(key, value));
  }
  const records: string[] = [];
  for (const [ts, values] of groups) records.push(`{"ts":${ts},"values":${objectOf(values)}}`);
  return `[${records.join(',')}]`;
}

/** A pack as an attributes body of contract 3.3: names and values; times say nothing about attributes. */
export function attributesOfPack(root: JsonNode): string {
  const members = new Map<string, string>();
  for (const { key, value } of membersOf(resolvePack(root))) members.set(key, value);
  return objectOf(members);
}

interface Member {
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  readonly measurement: Measurement;
}

/**
 * What is stored of the measurements: `name` its value, `name.sum` its sum. Units are not kept. Only where a name comes with
 * several units in one pack, as position does in RFC 8428 section 5.1.3, the second and further ones are `name:unit`: they
 * would take the place of the first.
 */
function* membersOf(measurements: readonly Measurement[]): Generator<Member> {
  const units = new Map<string, string>();
  for (const measurement of measurements) {
    const { name, unit, value, sum } = measurement;
    if (unit !== '' && !units.has(name)) units.set(name, unit);
    const key = unit === '' || unit === units.get(name) ? name : `${name}:${unit}`;
    if (value !== undefined) yield { key, value, measurement };
    if (sum !== undefined) yield { key: `${key}.sum`, value: sum, measurement };
  }
}

function objectOf(members: ReadonlyMap<string, string>): string {
  const texts: string[] = [];
  for (const [key, value] of members) texts.push(`${quote(key)}:${value}`);
  return `{${texts.join(',')}}`;
}

function timestamp(seconds: number, now: EpochMillis): EpochMillis {
  const millis = Math.round(seconds * 1000) + (seconds < FIRST_ABSOLUTE_TIME ? now : 0);
  if (!Number.isSafeInteger(millis)) throw badPayload('Not SenML: a time beyond what can be told');
  return millis;
}
