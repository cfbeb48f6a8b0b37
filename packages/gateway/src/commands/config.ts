import { type AddCommand, CONFIG, examples, print } from './command';

export const addConfig: AddCommand = (program) => {
  const config = program
    .command('config')
    .description('look at the settings')
    .addHelpText(
      'after',
      examples(
        ['tandem config check', 'is anything wrong with them?'],
        ['tandem config print | grep COAP', 'what holds here'],
      ),
    );

  config
    .command('check')
    .description('say what is wrong with the settings, if anything')
    .option(...CONFIG)
    .addHelpText('after', examples(['tandem config check --config /etc/tandem.env', 'of a file']))
    .addHelpText(
      'after',
      '\nExit code: 0 when they are fine, 1 otherwise. tandem doctor looks at what they name as well: ports, files, Redis.',
    )
    .action(async (options: { config?: string }) => {
      const { settingsDoubts, settingsProblems } = await import('../settings/config-commands.js');
      const problems = settingsProblems(options.config);
      for (const doubt of settingsDoubts(process.env)) process.stderr.write(`tandem: warning: ${doubt}\n`);
      for (const problem of problems) process.stderr.write(`tandem: ${problem}\n`);
      if (problems.length === 0) print('The settings are fine.');
      else process.exitCode = 1;
    });

  config
    .command('print')
    .description('print every setting with the value it has here; secrets are not shown')
    .option(...CONFIG)
    .addHelpText('after', examples(['tandem config print --config /etc/tandem.env', 'of a file']))
    .action(async (options: { config?: string }) => {
      const { printSettings } = await import('../settings/config-commands.js');
      print(printSettings(options.config));
    });

  config
    .command('docs')
    .description('print the reference of all settings, in Markdown')
    .addHelpText('after', examples(['tandem config docs | grep -i timeout', 'find one']))
    .action(async () => {
      const { settingsReference } = await import('../settings/config-commands.js');
      print(settingsReference());
    });
};
