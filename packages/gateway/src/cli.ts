import { makeProgram } from './commands/program';

const program = makeProgram();

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
