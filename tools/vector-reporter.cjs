const ASKED_FOR = /vectors/;
const WORDS = { passed: 'passed', failed: 'FAILED' };

/** A line for each vector of the contract, where a run was asked for them: `npm test -- vectors`. */
module.exports = class VectorReporter {
  #prints;

  constructor({ testPathPatterns }) {
    this.#prints = testPathPatterns.patterns.some((pattern) => ASKED_FOR.test(pattern));
  }

  onTestResult(_test, { testResults }, { numTotalTestSuites }) {
    // Of one suite alone the default reporter prints every test itself.
    if (!this.#prints || numTotalTestSuites === 1) return;
    const lines = testResults
      .filter(({ title }) => title.startsWith('TV-'))
      .map(
        ({ status, title, ancestorTitles }) => `${WORDS[status] ?? status} ${title} [${ancestorTitles.join(', ')}]\n`,
      );
    process.stdout.write(lines.join(''));
  }
};
