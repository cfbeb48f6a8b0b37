import type { EpochMillis, Random } from '@tandem/core';

/** What a placeholder may speak of. */
export interface Moment {
  /** Of this device, from 0 on. */
  readonly count: number;
  /** Its number in the fleet, from 1 on. */
  readonly device: number;
  readonly now: EpochMillis;
}

export type Template = (moment: Moment) => string;

const PLACEHOLDER = /\{\{\s*(\w+)((?:\s+-?\d+(?:\.\d+)?)*)\s*\}\}/g;
const WHOLE = new RegExp(`^${PLACEHOLDER.source}$`);
/** Seconds of a wave that names none. */
const PERIOD = 60;

export const DEFAULT_TELEMETRY = '{"temperature":"{{wave 18 25}}","humidity":"{{random 40 60}}"}';

export const PLACEHOLDERS = [
  ['{{random 18 25}}', 'a number between them'],
  ['{{wave 18 25 60}}', 'up and down between them, once in 60 s'],
  ['{{count}}', '0, 1, 2, ... of this device'],
  ['{{device}}', 'its number, from 1 on'],
  ['{{now}}', 'milliseconds since 1970'],
] as const;

/**
 * JSON whose strings hold placeholders: a string that is nothing else becomes a number, `"{{random 18 25}}"` as `21.37`.
 * @throws Error in one line when it is no JSON, or names a placeholder there is not
 */
export function parseTemplate(text: string, random: Pick<Random, 'fraction'>): Template {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`The telemetry is no JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null) throw new Error('The telemetry must be a JSON object or array');
  const fill = (moment: Moment) => JSON.stringify(filled(json, moment, random));
  // Whatever is wrong in it is said before anything is sent.
  fill({ count: 0, device: 1, now: 0 });
  return fill;
}

function filled(value: unknown, moment: Moment, random: Pick<Random, 'fraction'>): unknown {
  if (typeof value === 'string') {
    const [whole, name = '', numbers = ''] = WHOLE.exec(value) ?? [];
    if (whole !== undefined) return numberFor(name, numbers, moment, random);
    if (/\{\{/.test(value.replace(PLACEHOLDER, ''))) throw unknown(value);
    return value.replace(PLACEHOLDER, (_, inner: string, its: string) => String(numberFor(inner, its, moment, random)));
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, moment, random));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, moment, random)]));
}

function numberFor(
  name: string,
  numbers: string,
  { count, device, now }: Moment,
  random: Pick<Random, 'fraction'>,
): number {
  const [from, to, period = PERIOD] = numbers.trim().split(/\s+/).filter(Boolean).map(Number);
  switch (name) {
    case 'count':
      return count;
    case 'device':
      return device;
    case 'now':
      return now;
    case 'random':
      if (from !== undefined && to !== undefined) return hundredths(from + (to - from) * random.fraction());
      break;
    case 'wave':
      if (from !== undefined && to !== undefined && period > 0) {
        // Those of a fleet are not in step.
        const turns = now / 1_000 / period + device * 0.37;
        return hundredths(from + ((to - from) * (1 + Math.sin(2 * Math.PI * turns))) / 2);
      }
      break;
  }
  throw unknown(`{{${name}${numbers}}}`);
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

const unknown = (text: string): Error =>
  new Error(`${text} in the telemetry is none of ${PLACEHOLDERS.map(([form]) => form).join(', ')}`);
