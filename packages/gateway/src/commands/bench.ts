import type { BenchCommandOptions } from '../bench/bench-command';
import { type AddCommand, examples, print, stoppedBySignals } from './command';

export const addBench: AddCommand = (program) => {
  program
    .command('bench <url>')
    .description('measure a running gateway from outside: it is loaded, and keeps what is sent')
    .option('--token <token>', 'access token of a device')
    .option('--devices <file>', 'tokens of many, one a line, as tandem device --save-tokens writes them')
    .option('--connections <n>', 'each with one request at a time; over CoAP as many UDP ports', '50')
    .option('--seconds <n>', 'how long', '10')
    .option('--warm-up <n>', 'seconds before that which do not count', '2')
    .option('--what <what>', 'telemetry, attributes (writes), or read (of attributes)', 'telemetry')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      examples(
        ['tandem bench http://localhost:8080 --token my-token', 'telemetry over HTTP'],
        ['tandem bench coap://localhost:5683 --token my-token --connections 100 --seconds 5', 'over CoAP'],
        ['tandem bench http://localhost:8080 --token my-token --what attributes --seconds 1 --json', 'for programs'],
      ),
    )
    .addHelpText(
      'after',
      `
Limits that the gateway has for devices hold here as well (429, 4.29). This process takes part of the machine: a note says when
it was the limit itself. Exit code: 0 when every request succeeded, 1 otherwise.`,
    )
    .action(async (url: string, options: BenchCommandOptions) => {
      const { runBench } = await import('../bench/bench-command.js');
      process.exitCode = (await runBench(url, options, print, stoppedBySignals())) ? 0 : 1;
    });
};
