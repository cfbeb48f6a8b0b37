import { parseArgs } from 'node:util';
import { cleanUp } from '../support/gateway-process';
import { type Fault, faults, redisBackAtOnce } from './faults';
import { type RoundResult, runRound } from './round';
import { World } from './world';

const PAUSE = 10_000;
const USAGE = `npm run chaos -- [options]
  --rounds <n>   how often each fault is injected; default 3
  --fault <text> only faults whose name holds the text
`;

const COLUMNS = [
  'rounds',
  'acknowledged',
  'refused',
  'lost',
  'duplicated',
  'notShown',
  'commands',
  'commandsLost',
  'stale',
] as const;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Exit code: 0 nothing that was acknowledged got lost or came twice, 1 something did, 2 it cannot run as asked. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string' }, fault: { type: 'string' } } });
  const rounds = Number(values.rounds ?? 3);
  const chosen = [...faults(PAUSE), redisBackAtOnce].filter(({ name }) => name.includes(values.fault ?? ''));
  if (!Number.isInteger(rounds) || rounds < 1 || chosen.length === 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const results: RoundResult[] = [];
  for (const store of ['standalone', 'cluster'] as const) {
    const here = chosen.filter((fault) => fault.store === store);
    if (here.length > 0) results.push(...(await inWorld(await World[store](), here, rounds)));
  }
  report(results);
  return results.every(isClean) ? 0 : 1;
}

async function inWorld(world: World, chosen: readonly Fault[], rounds: number): Promise<RoundResult[]> {
  const results: RoundResult[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const fault of chosen) {
        const result = await runRound(world, fault, results.length);
        results.push(result);
        const outcome = isClean(result) ? 'clean' : `NOT CLEAN: ${result.complaints.join('; ')}`;
        print(`${round}: ${fault.name}: ${result.acknowledged} acknowledged, ${await memory(world)}, ${outcome}`);
      }
    }
  } finally {
    await world.stop();
  }
  return results;
}

/** Resident memory of both gateways. */
async function memory(world: World): Promise<string> {
  const bytes = await Promise.all(world.gateways.map((gateway) => gateway.metric('process_resident_memory_bytes')));
  return bytes.map((size) => `${Math.round(size / 1e6)} MB`).join(' and ');
}

function report(results: readonly RoundResult[]): void {
  print(`\n| fault | ${COLUMNS.join(' | ')} |`);
  print(`|---|${COLUMNS.map(() => '---').join('|')}|`);
  for (const name of new Set(results.map(({ fault }) => fault))) {
    const of = results.filter(({ fault }) => fault === name);
    const sums = COLUMNS.map((column) =>
      column === 'rounds' ? of.length : of.reduce((sum, row) => sum + row[column], 0),
    );
    print(`| ${name} | ${sums.join(' | ')} |`);
  }
}

const isClean = (result: RoundResult): boolean =>
  result.lost + result.duplicated + result.notShown + result.commandsLost + result.stale === 0 &&
  result.complaints.length === 0;

main().then(
  async (code) => {
    await cleanUp();
    process.exit(code);
  },
  async (error: unknown) => {
    process.stderr.write(`chaos broke: ${error instanceof Error ? error.stack : String(error)}\n`);
    await cleanUp();
    process.exit(1);
  },
);
