import { parseArgs } from 'node:util';
import { cleanUp } from '../support/gateway-process';
import { BOUNDS } from './limits';
import { type FuzzReport, fuzz } from './run';
import { megabytes } from './watch';

const USAGE = `npm run fuzz -- [options]
  --seconds <n>  how long at the given rate; default 60
  --rate <n>     datagrams per second; default 20000
  --seed <n>     the same datagrams again
`;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Exit code: 0 the gateway has borne it, 1 it has not, 2 it cannot run as asked. */
async function main(): Promise<number> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seconds: option, rate: option, seed: option } });
  const seconds = Number(values.seconds ?? 60);
  const rate = Number(values.rate ?? 20_000);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(seconds > 0 && rate > 0 && Number.isInteger(seed))) {
    process.stderr.write(USAGE);
    return 2;
  }
  print(`seed ${seed}`);
  const report = await fuzz({ seed, count: Math.ceil(seconds * rate), rate, progress: print });
  return show(report);
}

function show(report: FuzzReport): number {
  const { strangers, probes, memory, metrics } = report;
  const complaints = Object.entries(report.complaints).filter(([, list]) => list.length > 0);
  const share = ((100 * probes.atOnce) / probes.sent).toFixed(1);
  print('');
  for (const [name, count] of metrics) {
    if (name.startsWith('tandem_coap_') && name.includes('_total{') && count > 0) print(`${name} ${count}`);
  }
  print('');
  for (const [name, peak] of report.peaks) print(`${name} at most ${peak} of ${BOUNDS[name]}`);
  print('');
  print(`sent: ${report.sent} datagrams in ${report.seconds.toFixed(1)} s, ${report.forged} of them forged`);
  if (report.refusal !== undefined) print(`left out: source port 0, forged sources, lying headers: ${report.refusal}`);
  print(
    `received by the gateway: ${report.received}; dropped by the system (socket full, wrong header): ${report.withheld}`,
  );
  print(
    `strangers: ${strangers.bytes} bytes from them, ${strangers.replyBytes} to them in ${strangers.replies} datagrams`,
  );
  print(`ordinary requests: ${probes.sent}, ${share} % answered at the first try`);
  print(`anonymous memory: ${megabytes(memory.warm)} when warm, ${megabytes(memory.peak)} at most after that`);
  print(`log: ${report.logLines} lines`);
  for (const [name, list] of complaints) {
    for (const complaint of list.slice(0, 10)) print(`${name}: ${JSON.stringify(complaint)}`);
  }
  print(complaints.length === 0 ? 'clean' : `NOT CLEAN; again with --seed ${report.seed}`);
  return complaints.length === 0 ? 0 : 1;
}

main().then(
  async (code) => {
    await cleanUp();
    process.exit(code);
  },
  async (error: unknown) => {
    process.stderr.write(`the fuzzer broke: ${error instanceof Error ? error.stack : String(error)}\n`);
    await cleanUp();
    process.exit(1);
  },
);
