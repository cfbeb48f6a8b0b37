import { parseTelemetry } from '@tandem/core';
import { median } from '../measure/median';
import { table } from '../table';
import { BODIES, type Body, samplesOf } from './bodies';

/** Reading and typing a body keeps at least so much of the speed of JSON.parse alone. */
const MIN_PAYLOAD_RATIO = 0.5;

/** CPU time of one side in one round. */
const SLICE_MICROS = 100_000;
/** Bodies before the first round: by then the compiler is done with both, on a busy machine as well. */
const WARM_UP = 400_000;
const PROBE = 50_000;
const SETTINGS = { typeCast: true, maxStringLength: 0 };
const NOW = 1_700_000_000_000;

export interface PayloadOptions {
  readonly rounds: number;
}

interface Measured {
  readonly body: Body;
  /** Nanoseconds of CPU time for one body, medians over the rounds. */
  readonly ours: number;
  readonly parse: number;
  /** Median over the rounds of JSON.parse over ours: 1 is as fast. */
  readonly ratio: number;
}

/** What becomes of a body, from its bytes. The number keeps the compiler from leaving it out. */
type Work = (bytes: Buffer) => number;

/** To typed values, and on to the text that is stored. */
const readAndType: Work = (bytes) => parseTelemetry(bytes, NOW, SETTINGS).points;
const parseAlone: Work = (bytes) => (JSON.parse(bytes.toString('utf8')) === null ? 0 : 1);

/** Both sides in this process, in turn. Returns the limits that are missed. */
export function benchmarkPayload({ rounds }: PayloadOptions, print: (line: string) => void): string[] {
  const measured = BODIES.map((body) => compare(body, Math.max(1, rounds)));
  print(
    `\npayload: reading and typing beside JSON.parse alone, both from bytes; medians of ${rounds} alternating rounds`,
  );
  print(
    table([
      ['body', 'bytes', 'read and type ns', 'JSON.parse ns', 'ratio'],
      ...measured.map(({ body, ours, parse, ratio }) => [
        body.name,
        String(body.text.length),
        ours.toFixed(0),
        parse.toFixed(0),
        ratio.toFixed(2),
      ]),
    ]),
  );
  print(
    `ratio: speed of reading and typing over that of JSON.parse; at least ${MIN_PAYLOAD_RATIO} is wanted of all but the lenient one`,
  );
  print('lenient: JSON.parse gets the same values with quotes, as it takes nothing else, so it is not judged');
  return measured
    .filter(({ body, ratio }) => body.judged && !(ratio >= MIN_PAYLOAD_RATIO))
    .map(
      ({ body, ratio }) => `${body.name}: ${ratio.toFixed(2)} of JSON.parse, at least ${MIN_PAYLOAD_RATIO} is wanted`,
    );
}

function compare(body: Body, rounds: number): Measured {
  const bodies = samplesOf(body.text);
  const json = samplesOf(body.asJson ?? body.text);
  nanosOf(readAndType, bodies, WARM_UP);
  nanosOf(parseAlone, json, WARM_UP);
  const count = Math.round((SLICE_MICROS * 1_000) / nanosOf(readAndType, bodies, PROBE));
  const ours: number[] = [];
  const parse: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(nanosOf(readAndType, bodies, count));
    parse.push(nanosOf(parseAlone, json, count));
  }
  const ratios = ours.map((nanos, round) => (parse[round] ?? Number.NaN) / nanos);
  return { body, ours: median(ours), parse: median(parse), ratio: median(ratios) };
}

/** CPU time for one body, what the garbage collector takes included; that of others on this machine is not in it. */
function nanosOf(work: Work, bodies: readonly Buffer[], count: number): number {
  const before = process.cpuUsage();
  let done = 0;
  for (let n = 0; n < count; n += 1) done += work(bodies[n % bodies.length] ?? EMPTY);
  const { user, system } = process.cpuUsage(before);
  if (done < count) throw new Error('a body has no values');
  return ((user + system) * 1_000) / count;
}

const EMPTY = Buffer.alloc(0);
