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

export interface CoapExpectation extends Partial<Omit<Received, 'kind'>> {
  /** `ACK 2.05` is a piggybacked answer, `NON 2.05` that to a NON request. */
  readonly kind: string;
  /** The payload as parsed value. */
  readonly json?: unknown;
  /** All telemetry that is there afterwards, see Scene.stored. */
  readonly stored?: Partial<Record<TokenName, readonly string[]>>;
}

/** A vector of one request over CoAP. @param line `POST /api/v1/tok1/telemetry`, `GET /fw/tokF?size=1000&chunk=1` */
export function coap(no: string, line: string, input: CoapInput, expected: CoapExpectation): Vector {
  const { says, payload, settings, before, ...extras } = input;
  const shown = Buffer.isBuffer(payload) ? `hex ${payload.toString('hex')}` : (payload ?? '');
  const { json, stored = {}, ...message } = expected;
  return {
    no,
    says: says ?? `${line} ${shown}`.trim(),
    ...(settings && { settings }),
    async run(scene) {
      await before?.(scene);
      const answer = await scene.ask(line, payload, extras);
      expect(answer).toMatchObject(message);
      if (json !== undefined) expect(JSON.parse(answer.text)).toEqual(json);
      for (const [name, found] of Object.entries(stored)) {
        expect(await scene.stored(name as TokenName)).toEqual(found);
      }
    },
  };
}
