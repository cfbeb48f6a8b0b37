import { TandemError, type Uuid } from '@tandem/core';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function parseUuid(text: string): Uuid | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}

/** @throws TandemError BAD_REQUEST */
export function uuidParameter(params: Readonly<Record<string, string>>, name: string): Uuid {
  return requireUuid(params[name] ?? '');
}

/** @throws TandemError BAD_REQUEST */
export function requireUuid(text: string): Uuid {
  const uuid = parseUuid(text);
  if (uuid === undefined) throw new TandemError('BAD_REQUEST', { message: `Invalid UUID string: ${text}` });
  return uuid;
}

/** The path of a request target, without its query; also of one in absolute form (RFC 9112 section 3.2.2). */
export function pathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '');
  return path.split('?', 1)[0] ?? '';
}
