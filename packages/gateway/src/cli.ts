import { Command } from 'commander';
import { printSettings, settingsProblems, settingsReference } from './config-commands';
import type { CopyCommandOptions } from './copy-devices/copy-devices';
import { HEADINGS } from './import-devices/columns';
import { type ImportCommandOptions, importDevices } from './import-devices/import-devices';
import { problemsOf } from './problems';
import { serve } from './serve';
import { version } from './version';

const program = new Command('tandem')
  .description('A device gateway with two front doors, HTTP and CoAP with Observe, over one shared state')
  .version(version(), '-V, --version', 'print the version');

const CONFIG = ['--config <file>', 'settings as NAME=value lines; the environment wins over them'] as const;
const print = (text: string) => void process.stdout.write(`${text}\n`);

program
  .command('serve')
  .description('run the gateway; the settings come from the environment')
  .option(...CONFIG)
  .action(({ config }: { config?: string }) => serve(config));

const configCommand = program.command('config').description('look at the settings');

configCommand
  .command('check')
  .description('say what is wrong with the settings, if anything')
  .option(...CONFIG)
  .action(({ config }: { config?: string }) => {
    const problems = settingsProblems(config);
    for (const problem of problems) process.stderr.write(`tandem: ${problem}\n`);
    if (problems.length === 0) print('The settings are fine.');
    else process.exitCode = 1;
  });

configCommand
  .command('print')
  .description('print every setting with the value it has here')
  .option(...CONFIG)
  .action(({ config }: { config?: string }) => print(printSettings(config)));

configCommand
  .command('docs')
  .description('print the reference of all settings')
  .action(() => print(settingsReference()));

const devicesCommand = program.command('devices').description('work with the devices of a running gateway');

devicesCommand
  .command('import <file.csv>')
  .description('create and update devices out of a list; its first row names the columns')
  .addHelpText('after', `\nColumns: ${HEADINGS}`)
  .option('--url <url>', 'of the gateway', 'http://localhost:8080')
  .option('--username <email>', 'a tenant administrator')
  .option('--password-file <file>', 'file with the password')
  .option('--api-key <key>', 'instead of user name and password')
  .option('--delimiter <character>', 'between the columns', ',')
  .option('--no-update', 'leave attributes and time series of devices alone that are there already')
  .action(async (file: string, options: ImportCommandOptions) => {
    if (!(await importDevices(file, options, print))) process.exitCode = 1;
  });

devicesCommand
  .command('copy')
  .description('take devices over from another server that speaks the same REST calls, with credentials and attributes')
  .requiredOption('--from <url>', 'of the old server, at which this only reads')
  .option('--from-username <email>', 'a tenant administrator there')
  .option('--from-password-file <file>', 'file with the password')
  .option('--from-api-key <key>', 'instead of user name and password')
  .option('--url <url>', 'of the gateway', 'http://localhost:8080')
  .option('--username <email>', 'a tenant administrator')
  .option('--password-file <file>', 'file with the password')
  .option('--api-key <key>', 'instead of user name and password')
  .option('--update', 'write attributes and latest values of devices that are there already as well', false)
  .action(async (options: CopyCommandOptions) => {
    const { copyDevices } = await import('./copy-devices/copy-devices.js');
    if (!(await copyDevices(options, print))) process.exitCode = 1;
  });

program
  .command('secrets')
  .description('work with what is secret in the store')
  .command('seal')
  .description(
    'encrypt everything with the first key of TANDEM_SECRET_KEY_FILE; stop a gateway that has the data folder open',
  )
  .option(...CONFIG)
  .action(async ({ config }: { config?: string }) => {
    const { sealStoredSecrets } = await import('./seal-secrets.js');
    await sealStoredSecrets(config, print);
  });

program
  .command('version')
  .description('print the version')
  .action(() => print(version()));

program.parseAsync().catch((error: unknown) => {
  for (const problem of problemsOf(error)) process.stderr.write(`tandem: ${problem}\n`);
  process.exitCode = 1;
});
