import { type AddCommand, CONFIG, examples } from './command';

const FIRST = `
The settings to begin with, all of them environment variables or lines of the file:
  TANDEM_DATA_DIR        where everything is kept (./data)
  REDIS_URL              a Redis instead, for more than one process
  HTTP_BIND_PORT         device API over HTTP, and server API (8080)
  COAP_BIND_PORT         device API over CoAP, UDP (5683)
  TANDEM_ADMIN_PASSWORD  of tenant@thingsboard.org; unset: one is made, <data dir>/initial-admin-password has it
All of them: docs/reference/settings.md, or tandem config docs. What keeps it from starting: tandem doctor.`;

export const addServe: AddCommand = (program) => {
  program
    .command('serve')
    .description('run the gateway; the settings come from the environment')
    .option(...CONFIG)
    .addHelpText('after', FIRST)
    .addHelpText(
      'after',
      examples(
        ['tandem serve', 'all of it in one process, on ./data'],
        ['HTTP_BIND_PORT=8090 TANDEM_DATA_DIR=/var/lib/tandem tandem serve', 'on another port, in another folder'],
        ['tandem serve --config /etc/tandem.env', 'with settings of a file'],
      ),
    )
    .addHelpText(
      'after',
      '\nRuns until SIGTERM or SIGINT. Exit code: 0 after an orderly stop, 1 when it cannot start; stderr says why.',
    )
    .action(({ config }: { config?: string }) => {
      // Not by `import()`, which would let a turn of the event loop pass: a signal that came while the program was loaded is heard by
      // whoever listens in this turn.
      const { serve } = require('../serve') as typeof import('../serve');
      return serve(config);
    });
};
