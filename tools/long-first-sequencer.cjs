const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Suites that take long. Jest knows how long a suite took last time, but a fresh clone has no last time, and there the
 * smallest file comes last.
 */
const LONG = [
  /state-contract/,
  /chaos\.test/,
  /-cluster\.test/,
  /redis-start\.test/,
  /commands-restart\.test/,
  /(settings|telemetry-consumer|two-gateways|tour|restart|fuzz|misrouted|crash|walk)\.test/,
  /lossy-link/,
];

/** The longest suites first: one that begins last would run on alone, with the other cores idle. */
class LongFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => LONG.findIndex((pattern) => pattern.test(path)) >>> 0;
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}

module.exports = LongFirst;
