import { Command } from 'commander';
import { version } from '../version';
import { addBench } from './bench';
import { print } from './command';
import { addConfig } from './config';
import { addDevice } from './device';
import { addDevices } from './devices';
import { addDoctor } from './doctor';
import { addSecrets } from './secrets';
import { addServe } from './serve';

const AFTER = `
To begin with:
  tandem serve                                             run it on ./data
  tandem doctor                                            what is wrong here, and what to do about it
  tandem device http://localhost:8080 --token my-token     play a device

In a clone of the repository tandem is npx tandem, or npm run tandem -- <command>, which builds it first.
tandem help <command> tells more of each. Exit codes: 0, done; 1, something is wrong, and stderr or the output says what.`;

/** Every command of `tandem`, with its help. */
export function makeProgram(): Command {
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
  return program;
}
