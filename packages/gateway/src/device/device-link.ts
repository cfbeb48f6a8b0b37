import type { Millis } from '@tandem/core';

/** What a request came to, alike for both protocols. */
export interface Answer {
  /** `200`, `2.05`. */
  readonly code: string;
  readonly body: Buffer;
  /** How long the gateway asks to wait. */
  readonly retryAfter: Millis | undefined;
}

/** There was no answer; the message is a sentence that names the gateway. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** There was one, and it ended what waits. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(readonly answer: Answer) {
    super(explain(answer));
  }
}

export type Watched = 'attributes' | 'rpc';

/** One device at one gateway, over whichever protocol. Calls throw NoAnswer. */
export interface DeviceLink {
  /** @param path behind the token */
  post(path: readonly string[], body: string): Promise<Answer>;
  /** Of the package that the shared attributes name. */
  download(title: string, version: string): Promise<Answer>;
  /**
   * Waits for shared attributes or commands until the signal is aborted, by long polls or an observation.
   * @param heard a poll follows when what this gives is settled: else a command would come again before it is answered
   * @throws NoAnswer; Refused, also when the gateway ends an observation
   */
  watch(what: Watched, heard: (body: string) => void | Promise<void>, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Asks for credentials, before there is a token. */
export type Provision = (body: string) => Promise<Answer>;

export type Verdict = 'done' | 'later' | 'never';

const LATER: ReadonlySet<string> = new Set(['408', '429', '4.29', '4.08', '2.02']);

/** Whether it succeeded, may succeed when it is sent again, or never will. */
export function verdictOf({ code }: Answer): Verdict {
  if (LATER.has(code) || code.startsWith('5')) return 'later';
  return code.startsWith('2') ? 'done' : 'never';
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  '401':
    'no device of this gateway has that token. Make one (docs/guides/first-device-http.md), or copy the token of one',
  '403': 'the device is not let in: was it deleted, or its profile made for another transport?',
  '404': 'there is no such path: is this the gateway, and its device API (role http) on that port?',
  '413': 'the body is too large',
  '2.02': 'another observation of this device has taken over, or the device was deleted',
};
const SAME: Readonly<Record<string, string>> = { '4.01': '401', '4.03': '403', '4.04': '404', '4.13': '413' };

/** One line about an answer that is not what was hoped for. */
export function explain({ code, body }: Answer): string {
  const known = EXPLANATIONS[SAME[code] ?? code];
  const said = known ?? messageOf(body.toString());
  return said === '' ? code : `${code}: ${said}`;
}

/** The sentence of an error body (contract 1.8), or what is there instead. */
function messageOf(text: string): string {
  try {
    const { message, errorMsg } = JSON.parse(text) as { message?: unknown; errorMsg?: unknown };
    if (typeof message === 'string') return message;
    if (typeof errorMsg === 'string') return errorMsg;
  } catch {
    // No JSON: the text itself says it.
  }
  return text.replaceAll('\n', ' ').slice(0, 200);
}
