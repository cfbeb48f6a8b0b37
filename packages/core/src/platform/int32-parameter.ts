import { TandemError } from '../errors';

const MAX = 2_147_483_647;
const MIN = -2_147_483_648;

/** A parameter as a signed 32-bit integer, with or without its sign. @throws TandemError BAD_REQUEST that names it */
export function int32Parameter(name: string, text: string): number {
  const value = Number(text);
  if (!/^[+-]?\d{1,32}$/.test(text) || value > MAX || value < MIN) throw malformedParameter(name);
  return value;
}

export const malformedParameter = (name: string): TandemError =>
  new TandemError('BAD_REQUEST', { message: `Parameter '${name}' is malformed` });
