/** A body of telemetry as a device may write it. */
export interface Body {
  readonly name: string;
  /** With `21.5` in it, in the place of which each sample has another number of four characters. */
  readonly text: string;
  /** Where that is no JSON: the same values as JSON, which is what JSON.parse gets. */
  readonly asJson?: string;
  /** Whether the limit is on it. */
  readonly judged: boolean;
}

/** Of 50 bytes, give or take two. */
export const BODIES: readonly Body[] = [
  { name: 'canonical', text: '{"temperature":21.5,"humidity":48,"state":"running"}', judged: true },
  { name: 'with spaces', text: '{"temperature": 21.5, "humidity": 48, "mode": "on"}', judged: true },
  { name: 'timestamped', text: '{"ts":1700000000000,"values":{"temperature":21.5}}', judged: true },
  { name: 'batch', text: '[{"ts":1700000000000,"values":{"t":21.5}},{"h":48}]', judged: true },
  {
    name: 'lenient',
    text: '{temperature:21.5, humidity:48, state: "running"}',
    asJson: '{"temperature":21.5,"humidity":48,"state":"running"}',
    judged: false,
  },
];

const DIFFERENT = 1024;

/** The same body with other values, so that nothing is known from the one before. */
export const samplesOf = (text: string): Buffer[] =>
  Array.from({ length: DIFFERENT }, (_, n) => Buffer.from(text.replace('21.5', `${10 + (n % 90)}.${1 + (n % 9)}`)));
