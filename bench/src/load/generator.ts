import type { FromGenerator, ToGenerator } from './generator-messages';
import { type PreparedLoad, prepareLoad, runLoad } from './run-load';

let prepared: PreparedLoad | undefined;

function tell(message: FromGenerator): void {
  process.send?.(message);
}

async function obey(message: ToGenerator): Promise<void> {
  if (message.kind === 'prepare') {
    prepared = prepareLoad(message.config);
    tell({ kind: 'prepared' });
  } else if (prepared !== undefined) {
    tell({ kind: 'result', result: await runLoad(prepared, message.request) });
  }
}

process.on('message', (message: ToGenerator) => {
  obey(message).catch((error: unknown) => tell({ kind: 'broken', reason: String(error) }));
});
process.on('disconnect', () => process.exit(0));
