const { mkdtempSync, readdirSync, rmSync, statfsSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { keepLogs } = require('./log-scan.cjs');

/** Where Linux has a file system in memory. */
const MEMORY = '/dev/shm';
const PREFIX = 'tandem-tests-';
/** All suites at once have a few hundred megabytes. */
const ENOUGH = 2 ** 31;

/**
 * Puts the temporary folders of a test run into memory where there is enough of it: a thousand stores are opened, each of
 * which would wait for the disk several times. To the death of a process it makes no difference; the tests that kill
 * processes under load ask for `TANDEM_TEST_DISK` all the same.
 */
function useMemory() {
  process.env.TANDEM_TEST_DISK ??= tmpdir();
  if (process.env.TMPDIR !== undefined || freeOf(MEMORY) < ENOUGH) return;
  for (const name of readdirSync(MEMORY)) if (isLeftBehind(name)) remove(join(MEMORY, name));
  const folder = mkdtempSync(join(MEMORY, `${PREFIX}${process.pid}-`));
  process.env.TMPDIR = folder;
  process.once('exit', () => remove(folder));
}

module.exports = async () => {
  useMemory();
  keepLogs();
};

const remove = (folder) => rmSync(folder, { recursive: true, force: true });

/** Whether it is of a run that was killed. */
function isLeftBehind(name) {
  if (!name.startsWith(PREFIX)) return false;
  try {
    process.kill(Number.parseInt(name.slice(PREFIX.length), 10), 0);
    return false;
  } catch ({ code }) {
    return code === 'ESRCH';
  }
}

/** Bytes that we may write there. */
function freeOf(folder) {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
