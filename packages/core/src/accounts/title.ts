import { TandemError } from '../errors';

const MAX_LENGTH = 255;

/** @param of what the title is of, as its refusal names it. @throws TandemError BAD_REQUEST */
export function requireTitle(of: 'Tenant' | 'Customer', title: unknown): string {
  if (typeof title !== 'string' || title.trim() === '') {
    throw new TandemError('BAD_REQUEST', { message: `${of} title should be specified!` });
  }
  if (title.length > MAX_LENGTH) {
    throw new TandemError('BAD_REQUEST', { message: `${of} title is longer than ${MAX_LENGTH} characters` });
  }
  return title;
}
