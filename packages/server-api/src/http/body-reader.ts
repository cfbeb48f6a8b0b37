import { TandemError } from '@tandem/core';
import { type JsonBody, parseStrictly, shapeChecker } from './json-body';

/** How the body of a call is read, and what it has to look like. */
export interface BodyReader<T> {
  /** `json` refuses another media type (415); `any` takes the bytes whatever they are said to be. */
  readonly media: 'json' | 'any';
  /** JSON Schema of the body, for those who want to know. */
  readonly schema: object;
  /** What is described; JSON where left out. */
  readonly contentType?: string;
  /** @throws TandemError */
  read(bytes: Buffer): T;
}

/**
 * A reader of bodies of one shape. Members the schema does not name are let pass: clients send back what they were
 * given.
 * @typeParam T what the schema says
 */
export function bodyReader<T>(schema: object): BodyReader<T> {
  const { read } = bodyWithTextReader<T>(schema);
  return { media: 'json', schema, read: (bytes) => read(bytes).value };
}

/** As {@link bodyReader}, for bodies that hold JSON to be kept as it was written. */
export function bodyWithTextReader<T>(schema: object): BodyReader<JsonBody<T>> {
  const check = shapeChecker<T>(schema);
  return {
    media: 'json',
    schema,
    read(bytes) {
      if (bytes.length === 0) throw new TandemError('BODY_REQUIRED');
      const body = parseStrictly(bytes);
      if (!body) throw new TandemError('BAD_PAYLOAD', { message: 'The request body is not JSON' });
      return { value: check(body.value), text: body.text };
    },
  };
}

/** For calls with words of their own for what is wrong. @param schema of what is right */
export const looseReader = <T>(schema: object, read: (bytes: Buffer) => T): BodyReader<T> => ({
  media: 'any',
  schema,
  read,
});
