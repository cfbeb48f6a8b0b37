export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log lines. Device tokens, passwords and JWTs never go into `message` or `fields`: whoever writes a line
 * passes ids instead.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Guards per-message lines: a line that is switched off must cost nothing. */
  readonly debugEnabled: boolean;
}

const nothing = () => {};
export const silentLogger: Logger = {
  error: nothing,
  warn: nothing,
  info: nothing,
  debug: nothing,
  debugEnabled: false,
};
