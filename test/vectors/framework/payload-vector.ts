import { expectAnswer } from './http-vector';
import type { Scene } from './scene';
import type { Vector } from './vector';

/** 400 over HTTP, 4.00 over CoAP, and nothing is stored. */
export const REFUSED = 'refused';

type Expectation = readonly string[] | typeof REFUSED;

interface PayloadInput {
  readonly says?: string;
  readonly settings?: Vector['settings'];
}

/** A telemetry body that has to come to the same over both protocols. @param stored as Scene.stored tells it */
export function telemetry(no: string, body: string, stored: Expectation, input: PayloadInput = {}): Vector {
  return payload(no, 'telemetry', body, stored, input);
}

/** A body of client attributes. @param stored as Scene.attributes tells it */
export function attributes(no: string, body: string, stored: Expectation, input: PayloadInput = {}): Vector {
  return payload(no, 'attributes', body, stored, input);
}

function payload(
  no: string,
  feature: 'telemetry' | 'attributes',
  body: string,
  expected: Expectation,
  { says = `POST /tok1/${feature} ${body}`, settings }: PayloadInput,
): Vector {
  const read = (scene: Scene) => (feature === 'telemetry' ? scene.stored('tok1') : scene.attributes('tok1'));
  const accepted = expected !== REFUSED;
  const stored = accepted ? expected : [];
  return {
    no,
    says,
    sideBySide: true,
    ...(settings && { settings }),
    async run(scene) {
      const answer = await scene.http(`POST /tok1/${feature}`, body);
      expectAnswer(answer, accepted ? { status: 200, text: '' } : { status: 400 });
      expect(await read(scene)).toEqual(stored);

      const other = scene.fresh('coap');
      const response = await other.ask(`POST /api/v1/tok1/${feature}`, body);
      expect(response).toMatchObject({ kind: accepted ? 'ACK 2.01' : 'ACK 4.00', text: '' });
      expect(await read(other)).toEqual(stored);
    },
  };
}
