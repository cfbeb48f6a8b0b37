import type { DeviceCommandOptions } from '../device/device-command';
import { DEFAULT_TELEMETRY, PLACEHOLDERS } from '../device/telemetry-template';
import { type AddCommand, examples, print, stoppedBySignals } from './command';

const MORE = `
Telemetry is JSON. A string in it that is a placeholder becomes a number:
${PLACEHOLDERS.map(([form, what]) => `  ${JSON.stringify(form).padEnd(21)}  ${what}`).join('\n')}

Shared attributes and commands are waited for: over HTTP by long polls, over CoAP by observations. Every command is answered, by
--answer, or with its own method and parameters. Busy or absent gateways are tried again as they ask for it.
For https:// with an authority of your own: NODE_EXTRA_CA_CERTS=ca.pem. For coaps:// use libcoap's coap-client.`;

export const addDevice: AddCommand = (program) => {
  program
    .command('device <url>')
    .description('play a device, or a fleet: send telemetry, hear of attributes, answer commands')
    .option('--token <token>', 'access token of the device')
    .option('--token-file <file>', 'of many: one a line')
    .option('--provision-key <key>', 'let devices register themselves, with the key and secret of their profile')
    .option('--provision-secret <secret>', 'see --provision-key')
    .option('--name-prefix <name>', 'of devices that register themselves: <name>-1, <name>-2, ...')
    .option('--save-tokens <file>', 'keep the tokens of these devices, for --token-file')
    .option('--count <n>', 'how many devices: the first of the file, or to be registered')
    .option('--interval <time>', 'between two messages of a device: 500ms, 5s, 2m', '5s')
    .option('--telemetry <json>', 'what to send', DEFAULT_TELEMETRY)
    .option('--messages <n>', 'stop after so many of each device; 0 sends none, and only listens')
    .option('--for <time>', 'stop after this time')
    .option('--answer <json>', 'what commands are answered with')
    .option('--no-listen', 'neither attributes nor commands')
    .option('--firmware', 'download firmware that is announced, and report each state of the update')
    .option('--json', 'a JSON object a line, for programs')
    .addHelpText('after', MORE)
    .addHelpText(
      'after',
      examples(
        ['tandem device http://localhost:8080 --token my-token', 'until Ctrl-C'],
        [
          'tandem device coap://localhost:5683 --token my-token --messages 3 --interval 1s',
          'over CoAP, three messages',
        ],
        [
          `tandem device http://localhost:8080 --token my-token --for 10s --telemetry '{"speed":"{{random 0 120}}"}'`,
          'values of your own',
        ],
        [
          `tandem device coap://localhost:5683 --token my-token --messages 0 --for 10s --answer '{"led":"on"}'`,
          'only listen, and answer commands with this',
        ],
        [
          'tandem device http://localhost:8080 --provision-key fleet-key --provision-secret fleet-secret --count 5 --messages 1 --save-tokens tokens',
          'five devices that register themselves',
        ],
      ),
    )
    .addHelpText(
      'after',
      '\nExit code: 0 when it sent what it should, 1 when nothing could be sent or a device was refused, as with a wrong token.',
    )
    .action(async (url: string, options: DeviceCommandOptions) => {
      const { runDevices } = await import('../device/device-command.js');
      process.exitCode = (await runDevices(url, options, print, stoppedBySignals())) ? 0 : 1;
    });
};
