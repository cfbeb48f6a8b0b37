import { type AddCommand, CONFIG, examples, print } from './command';

const SEAL = ['TANDEM_SECRET_KEY_FILE=/etc/tandem.keys tandem secrets seal', 'with the key of a file'] as const;

export const addSecrets: AddCommand = (program) => {
  program
    .command('secrets')
    .description('work with what is secret in the store')
    .addHelpText('after', examples(SEAL))
    .command('seal')
    .description(
      'encrypt everything with the first key of TANDEM_SECRET_KEY_FILE; stop a gateway that has the data folder open',
    )
    .option(...CONFIG)
    .addHelpText('after', examples(SEAL))
    .addHelpText('after', '\nExit code: 0 when all is encrypted, 1 otherwise. It can be run again.')
    .action(async ({ config }: { config?: string }) => {
      const { sealStoredSecrets } = await import('../store/seal-secrets.js');
      await sealStoredSecrets(config, print);
    });
};
