export type Level = 'ok' | 'warn' | 'fail';

/** What one look found. Nothing in it is a secret. */
export interface Finding {
  readonly level: Level;
  /** What was looked at: a setting, a file, a port. */
  readonly about: string;
  /** One line. */
  readonly text: string;
  /** What to do, one line; there for whatever is not `ok`. */
  readonly advice?: string;
}

export const ok = (about: string, text: string): Finding => ({ level: 'ok', about, text });
export const warn = (about: string, text: string, advice: string): Finding => ({ level: 'warn', about, text, advice });
export const fail = (about: string, text: string, advice: string): Finding => ({ level: 'fail', about, text, advice });
