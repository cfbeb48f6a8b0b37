import type { Millis } from '@tandem/core';

const UNITS: Readonly<Record<string, Millis>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `5s`, `2m`, `1h`; a bare number counts seconds. @throws Error that says so */
export function parseDuration(text: string): Millis {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`"${text}" is no length of time: 500ms, 5s, 2m or 1h`);
  return Number(number) * (UNITS[unit] ?? 1);
}

/** A whole number of at least `min`. @throws Error that names the option */
export function parseCount(option: string, text: string, min = 1): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < min)
    throw new Error(`${option} must be a whole number from ${min} on, not "${text}"`);
  return count;
}
