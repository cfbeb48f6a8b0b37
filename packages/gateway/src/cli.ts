import { Command } from 'commander';
import { addBench } from './commands/bench';
import { print } from './commands/command';
import { addConfig } from './commands/config';
import { addDevice } from './commands/device';
import { addDevices } from './commands/devices';
import { addDoctor } from './commands/doctor';
import { addSecrets } from './commands/secrets';
import { addServe } from './commands/serve';
import { version } from './version';

const AFTER = `
To begin with:
  tandem serve                                             run it on ./data
  tandem doctor                                            what is wrong here, and what to do about it
  tandem device http://localhost:8080 --token my-token     play a device

In a clone of the repository tandem is npx tandem, or npm run tandem -- <command>, which builds it first.
tandem help <command> tells more of each. Exit codes: 0, done; 1, something is wrong, and stderr or the output says what.`;

const program = new Command('tandem')
  .description('A device gateway with two front doors, HTTP and CoAP with Observe, over one shared state')
  .version(version(), '-V, --version', 'print the version')
  .addHelpText('after', AFTER)
  .showHelpAfterError('(tandem help lists the commands, tandem help <command> the options of one)');

for (const add of [addServe, addDoctor, addDevice, addBench, addConfig, addDevices, addSecrets]) add(program);

// That of commander goes down one step: `tandem help devices import` would be the help of `tandem devices`.
program.helpCommand(false);
program
  .command('help [command...]')
  .description('tell more of a command')
  .action((words: readonly string[]) => {
    let named: Command = program;
    for (const word of words) {
      const next = named.commands.find((command) => command.name() === word);
      if (!next)
        return program.error(`error: unknown command '${words.join(' ')}'`, { code: 'commander.unknownCommand' });
      named = next;
    }
    named.outputHelp();
  });

program
  .command('version')
  .description('print the version')
  .action(() => print(version()));

/** Those that end in their own way. */
const HEAR_SIGNALS: ReadonlySet<string> = new Set(['serve', 'seal', 'device', 'bench']);

// `bin/tandem.js` holds signals back for `serve`. Not left to the system: it ends no first process of a container.
program.hook('preAction', (_, command) => {
  if (HEAR_SIGNALS.has(command.name())) return;
  process.on('SIGTERM', () => process.exit(143));
  process.on('SIGINT', () => process.exit(130));
});

if (process.argv.length <= 2) program.outputHelp();
else {
  program.parseAsync().catch((error: unknown) => {
    const { problemsOf } = require('./logging/problems') as typeof import('./logging/problems');
    for (const problem of problemsOf(error)) process.stderr.write(`tandem: ${problem}\n`);
    process.exitCode = 1;
  });
}
