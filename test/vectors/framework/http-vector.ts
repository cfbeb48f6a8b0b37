import type { OutgoingHttpHeaders } from 'node:http';
import type { TokenName } from './fixtures';
import type { HttpAnswer } from './http-exchange';
import type { Scene } from './scene';
import type { Vector } from './vector';

export interface HttpInput {
  /** What stands in the contract for a request that its line and body do not tell. */
  readonly says?: string;
  readonly body?: string | Buffer;
  readonly headers?: OutgoingHttpHeaders;
  readonly settings?: Vector['settings'];
  /** What has to be there besides the fixtures that the path names. */
  readonly before?: (scene: Scene) => Promise<unknown>;
}

export interface HttpExpectation {
  readonly status: number;
  /** The body, to the letter. */
  readonly text?: string;
  /** The body as bytes. */
  readonly bytes?: Buffer;
  /** The body as parsed value. */
  readonly json?: unknown;
  /** The body is error JSON of contract 1.6. */
  readonly errorJson?: true;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** All telemetry that is there afterwards, see Scene.stored. */
  readonly stored?: Partial<Record<TokenName, readonly string[]>>;
}

/** ∅ */
export const EMPTY = { text: '' } as const;

/** A vector of one request over HTTP. @param line `POST /tok1/telemetry` */
export function http(no: string, line: string, input: HttpInput, expected: HttpExpectation): Vector {
  const { says, body, headers, settings, before } = input;
  return {
    no,
    says: says ?? `${line} ${body ?? ''}`.trim(),
    ...(settings && { settings }),
    async run(scene) {
      await before?.(scene);
      expectAnswer(await scene.http(line, body, { headers }), expected);
      for (const [name, stored] of Object.entries(expected.stored ?? {})) {
        expect(await scene.stored(name as TokenName)).toEqual(stored);
      }
    },
  };
}

export function expectAnswer(answer: HttpAnswer, expected: HttpExpectation): void {
  const { status, text, bytes, json, errorJson, headers = {} } = expected;
  const { status: came, text: body } = answer;
  expect({ status: came, body }).toMatchObject({ status, ...(text !== undefined && { body: text }) });
  expect(answer.headers).toMatchObject(headers);
  if (bytes !== undefined) expect(answer.bytes.toString('hex')).toBe(bytes.toString('hex'));
  if (json !== undefined) expect(JSON.parse(body)).toEqual(json);
  if (errorJson) expectErrorJson(answer, status);
}

/** Contract 1.6: the error code that goes with a status. */
const ERROR_CODES: Readonly<Record<number, number>> = { 400: 31, 401: 10, 403: 20, 404: 32, 405: 31, 429: 33, 503: 2 };

function expectErrorJson({ text, headers }: HttpAnswer, status: number): void {
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(JSON.parse(text)).toMatchObject({
    status,
    errorCode: ERROR_CODES[status],
    message: expect.any(String),
    timestamp: expect.any(Number),
  });
}
