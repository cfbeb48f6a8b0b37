/** Ends a test run with those tests that passed at their second try only, and one line that says how many passed and failed. */
module.exports = class SummaryReporter {
  #secondTries = [];

  onTestResult({ path }, { testResults }) {
    for (const { fullName, status, invocations } of testResults) {
      if (status === 'passed' && invocations > 1) this.#secondTries.push(`${path}: ${fullName}`);
    }
  }

  onRunComplete(_contexts, { numPassedTests, numFailedTests, numFailedTestSuites, numRuntimeErrorTestSuites }) {
    const failed = Math.max(numFailedTests, numFailedTestSuites, numRuntimeErrorTestSuites);
    for (const test of this.#secondTries) process.stdout.write(`passed at the second try: ${test}\n`);
    // After the other reporters have written theirs.
    process.once('exit', () => process.stdout.write(`${numPassedTests} passed, ${failed} failed\n`));
  }
};
