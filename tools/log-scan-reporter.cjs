const { scan, VARIABLE } = require('./log-scan.cjs');

/** Fails a test run in whose logs a secret stands that one of its tests used. */
module.exports = class LogScanReporter {
  #error;

  onRunComplete(_contexts, results) {
    const folder = process.env[VARIABLE];
    if (folder === undefined) return;
    const { secrets, logs, bytes, leaks } = scan(folder);
    if (logs === 0) return;
    const what = `${secrets} secrets in ${logs} logs of ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    process.stdout.write(`log scan: ${leaks.length === 0 ? 'none' : leaks.length} of ${what}\n`);
    if (leaks.length === 0) return;
    for (const { log, test, form, line } of leaks) {
      process.stdout.write(`  a secret of ${test || 'a test'} in ${log}, ${form}: ${line}\n`);
    }
    // For the line at the end of a run, which counts suites that failed outside of their tests.
    results.numRuntimeErrorTestSuites++;
    this.#error = new Error(`${leaks.length} secrets stand in the logs of the tests`);
  }

  getLastError() {
    return this.#error;
  }
};
