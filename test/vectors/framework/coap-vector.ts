import type { Received } from '../../../packages/coap-transport/src/testing/raw-client';
import type { TokenName } from './fixtures';
import type { CoapExtras, Scene } from './scene';
import type { Vector } from './vector';

export interface CoapInput extends Omit<CoapExtras, 'payload'> {
  /** What stands in the contract for a request that its line and payload do not tell. */
  readonly says?: string;
  readonly payload?: string | Buffer;
  readonly settings?: Vector['settings'];
  /** What has to be there besides the fixtures that the path names. */
  readonly before?: (scene: Scene) => Promise<unknown>;
}

/** What is named is compared. */
export interface CoapExpectation extends Partial<Omit<Received, 'kind'>> {
  /** `ACK 2.05` is a piggybacked answer, `NON 2.05` that to a NON request. */
  readonly kind: string;
  /** The payload as parsed value. */
  readonly json?: unknown;
  /** All telemetry that is there afterwards, see Scene.stored. */
  readonly stored?: Partial<Record<TokenName, readonly string[]>>;
  /** All client attributes that are there afterwards, see Scene.attributes. */
  readonly attributes?: Partial<Record<TokenName, readonly string[]>>;
}

/** ∅: a code alone, such as a failure is told by. */
export const bare = (kind: string) => ({ kind, text: '', format: undefined, observe: undefined }) as const;

/** A vector of one request over CoAP. @param line `POST /api/v1/tok1/telemetry`, `GET /fw/tokF?size=1000&chunk=1` */
export function coap(no: string, line: string, input: CoapInput, expected: CoapExpectation): Vector {
  const { says, payload, settings, before, ...extras } = input;
  const shown = Buffer.isBuffer(payload) ? `hex ${payload.toString('hex')}` : (payload ?? '');
  const { stored = {}, attributes = {}, ...message } = expected;
  return {
    no,
    says: says ?? `${line} ${shown}`.trim(),
    sideBySide: true,
    ...(settings && { settings }),
    async run(scene) {
      await before?.(scene);
      expectResponse(await scene.ask(line, payload, extras), message);
      for (const [name, found] of Object.entries(stored)) {
        expect(await scene.stored(name as TokenName)).toEqual(found);
      }
      for (const [name, found] of Object.entries(attributes)) {
        expect(await scene.attributes(name as TokenName)).toEqual(found);
      }
    },
  };
}

export function expectResponse(
  response: Received,
  { json, payload, ...message }: Omit<CoapExpectation, 'stored' | 'attributes'>,
): void {
  expect(response).toMatchObject(message);
  if (json !== undefined) expect(JSON.parse(response.text)).toEqual(json);
  if (payload !== undefined) expect(response.payload.toString('hex')).toBe(payload.toString('hex'));
}
