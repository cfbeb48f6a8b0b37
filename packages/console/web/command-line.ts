/** A command as it is typed: the method, a space, its parameters as JSON. */
export interface CommandLine {
  readonly method: string;
  /** JSON, as it was typed. */
  readonly params: string;
}

/** @throws Error with a sentence that says what is wrong */
export function readCommandLine(line: string): CommandLine {
  const [, method = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  if (method === '') throw new Error('Type a method, and after a space its parameters as JSON: setLed {"on":true}');
  if (rest === '') return { method, params: '{}' };
  try {
    JSON.parse(rest);
  } catch {
    throw new Error(`The parameters are not JSON: ${rest}. A text is written with quotes: "on"`);
  }
  return { method, params: rest };
}
