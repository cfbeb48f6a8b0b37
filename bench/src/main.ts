import { spawnSync } from 'node:child_process';
import { benchmark } from './benchmark';
import { FailedRun } from './contestant';
import { benchmarkDtls } from './dtls/dtls-benchmark';
import { BadOption, readOptions, USAGE } from './options';
import { benchmarkPayload } from './payload/payload-benchmark';
import { benchmarkRedis } from './redis/redis-benchmark';
import { benchmarkServerApi } from './server-api/server-api-benchmark';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const BENCHMARKS = {
  dtls: benchmarkDtls,
  redis: benchmarkRedis,
  'server-api': benchmarkServerApi,
  payload: benchmarkPayload,
};

/** Exit code: 0 every limit is kept, 1 a limit is missed or a request failed, 2 the bench cannot run as asked. */
async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options.pin && spawnSync('taskset', ['--version']).status !== 0) {
    throw new BadOption('--pin needs the taskset command');
  }
  if (options.subject !== 'doors') {
    const sentences = await BENCHMARKS[options.subject](options, print);
    for (const sentence of sentences) print(`MISSED (${options.subject}): ${sentence}`);
    return sentences.length === 0 ? 0 : 1;
  }
  let missed = 0;
  for (const protocol of options.protocols) {
    for (const sentence of await benchmark(protocol, options, print)) {
      print(`MISSED (${protocol}): ${sentence}`);
      missed += 1;
    }
  }
  return missed === 0 ? 0 : 1;
}

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof BadOption) {
      process.stderr.write(`${error.message}\n\n${USAGE}`);
      process.exit(2);
    }
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${error instanceof FailedRun ? 'FAILED: ' : 'the bench broke: '}${reason}\n`);
    process.exit(1);
  },
);
