#!/usr/bin/env node
// The first process of a container never gets a signal it does not listen for. So that a stop while the program is being
// loaded is not lost, it is listened for from here on; `serve` hears it when it has been loaded.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => {});
if (!require('node:fs').existsSync(`${__dirname}/../dist/cli.js`)) {
  process.stderr.write('tandem: It is not built yet: npm run build\n');
  process.exit(1);
}
require('../dist/cli.js');
