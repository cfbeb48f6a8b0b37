import { type AddCommand, CONFIG, examples, print } from './command';

export const addDoctor: AddCommand = (program) => {
  program
    .command('doctor')
    .description('look at settings, store, ports, certificates and machine, and say what to do')
    .option(...CONFIG)
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      examples(
        ['tandem doctor', 'with the settings of this environment'],
        ['tandem doctor --config /etc/tandem.env', 'with those that the service has; run it as its user'],
        ['tandem doctor --json | jq .findings', 'for programs'],
      ),
    )
    .addHelpText(
      'after',
      `
Each line is ok, warn or fail; -> says what to do. A gateway that runs with the same settings is asked how it is.
It changes nothing and shows no secrets. Exit code: 0 when nothing failed, 1 otherwise.`,
    )
    .action(async ({ config, json }: { config?: string; json?: boolean }) => {
      const { examine, isWell, render } = await import('../doctor/doctor.js');
      const diagnosis = await examine(process.env, config);
      print(json ? JSON.stringify({ well: isWell(diagnosis), ...diagnosis }, undefined, 1) : render(diagnosis));
      process.exitCode = isWell(diagnosis) ? 0 : 1;
    });
};
