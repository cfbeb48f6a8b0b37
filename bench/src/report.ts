import type { Contestant, Summary } from './contestant';
import { megabytes } from './limits';
import { table } from './table';

/** Above this share of a core the generator, not the server, sets the pace. */
const GENERATOR_BOUND = 0.93;

const HEADINGS = [
  'server',
  'requests/s',
  'CPU us/request',
  'p50 ms',
  'p99 ms',
  'anon idle',
  'after warm-up',
  'at the end',
  'generator busy',
  'retransmissions',
];

/** The table of medians, and a note for each server that was faster than its generator. */
export function resultTable(contestants: readonly Contestant[]): string {
  const rows = contestants.map((contestant) => rowOf(contestant, contestant.summary()));
  const notes = contestants
    .filter((contestant) => contestant.summary().generatorBusy > GENERATOR_BOUND)
    .map(
      ({ server }) =>
        `note: the generator of ${server.name} used a whole core: its requests/s are a lower bound, trust CPU us/request`,
    );
  return [table([HEADINGS, ...rows]), ...notes].join('\n');
}

/**
 * Ratio lines of the gateway against the two baselines.
 * @param wanted the least of gateway / B
 */
export function ratioLines(gateway: Summary, parseOnly: Summary, appending: Summary, wanted: number): string {
  const ratio = (name: 'requestsPerSecond' | 'cpuMicrosPerRequest', baseline: Summary): string =>
    (gateway[name] / baseline[name]).toFixed(2);
  return [
    `gateway / B: ${ratio('requestsPerSecond', appending)} (requests/s; at least ${wanted} is wanted)`,
    `gateway / B: ${ratio('cpuMicrosPerRequest', appending)} (CPU us/request)`,
    `gateway / A: ${ratio('requestsPerSecond', parseOnly)} (requests/s)`,
    `gateway / A: ${ratio('cpuMicrosPerRequest', parseOnly)} (CPU us/request)`,
  ].join('\n');
}

function rowOf(contestant: Contestant, summary: Summary): string[] {
  return [
    contestant.server.name,
    String(Math.round(summary.requestsPerSecond)),
    summary.cpuMicrosPerRequest.toFixed(1),
    (summary.p50Micros / 1000).toFixed(2),
    (summary.p99Micros / 1000).toFixed(2),
    megabytes(contestant.idleBytes),
    megabytes(contestant.warmBytes),
    megabytes(contestant.endBytes),
    `${Math.round(summary.generatorBusy * 100)} %`,
    String(summary.retransmissions),
  ];
}
