import type { CopyCommandOptions } from '../copy-devices/copy-devices';
import type { ImportCommandOptions } from '../import-devices/import-devices';
import { type AddCommand, examples, print } from './command';

const IMPORT = [
  'tandem devices import fleet.csv --url http://localhost:8080 --username tenant@thingsboard.org --password-file data/initial-admin-password',
  'of a list, as the first administrator',
] as const;
const COPY = [
  'tandem devices copy --from https://old.example.org --from-api-key $OLD_KEY --url http://localhost:8080 --api-key $KEY',
  'all devices of the tenant that the key of the old server belongs to',
] as const;

export const addDevices: AddCommand = (program) => {
  const devices = program
    .command('devices')
    .description('work with the devices of a running gateway')
    .addHelpText('after', examples(IMPORT, COPY));

  devices
    .command('import <file.csv>')
    .description('create and update devices out of a list; its first row names the columns')
    .option('--url <url>', 'of the gateway', 'http://localhost:8080')
    .option('--username <email>', 'a tenant administrator')
    .option('--password-file <file>', 'file with the password')
    .option('--api-key <key>', 'instead of user name and password')
    .option('--delimiter <character>', 'between the columns', ',')
    .option('--no-update', 'leave attributes and time series of devices alone that are there already')
    .addHelpText('after', () => {
      const { HEADINGS } = require('../import-devices/columns') as typeof import('../import-devices/columns');
      return `\nColumns: ${HEADINGS}`;
    })
    .addHelpText('after', examples(IMPORT))
    .addHelpText('after', '\nExit code: 0 when every row was imported, 1 otherwise.')
    .action(async (file: string, options: ImportCommandOptions) => {
      const { importDevices } = await import('../import-devices/import-devices.js');
      if (!(await importDevices(file, options, print))) process.exitCode = 1;
    });

  devices
    .command('copy')
    .description(
      'take devices over from another server that speaks the same REST calls, with credentials and attributes',
    )
    .requiredOption('--from <url>', 'of the old server, at which this only reads')
    .option('--from-username <email>', 'a tenant administrator there')
    .option('--from-password-file <file>', 'file with the password')
    .option('--from-api-key <key>', 'instead of user name and password')
    .option('--url <url>', 'of the gateway', 'http://localhost:8080')
    .option('--username <email>', 'a tenant administrator')
    .option('--password-file <file>', 'file with the password')
    .option('--api-key <key>', 'instead of user name and password')
    .option('--update', 'write attributes and latest values of devices that are there already as well', false)
    .addHelpText('after', examples(COPY))
    .addHelpText('after', '\nExit code: 0 when every device was taken over, 1 otherwise. It can be run again.')
    .action(async (options: CopyCommandOptions) => {
      const { copyDevices } = await import('../copy-devices/copy-devices.js');
      if (!(await copyDevices(options, print))) process.exitCode = 1;
    });
};
