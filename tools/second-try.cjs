// On a machine that others use as well a test may fail that waits for processes and sockets. In CI it is tried once more, alone,
// at the end of its file; `summary-reporter.cjs` names those that needed it, each of which is a fault to be found.
if (process.env.CI) jest.retryTimes(1, { logErrorsBeforeRetry: true });
