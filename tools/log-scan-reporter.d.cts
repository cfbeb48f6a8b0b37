/** Fails a test run in whose logs a secret stands that one of its tests used. */
export default class LogScanReporter {
  onRunComplete(contexts: ReadonlySet<unknown>, results: { numRuntimeErrorTestSuites: number }): void;
  getLastError(): Error | undefined;
}
