// For `node --require`: a line for each package that the process has loaded, at its end.
const { writeSync } = require('node:fs');

process.on('exit', () => {
  const packages = Object.keys(require.cache).flatMap((file) => {
    const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
    return name === undefined ? [] : [name];
  });
  for (const name of new Set(packages)) writeSync(2, `loaded ${name}\n`);
});
