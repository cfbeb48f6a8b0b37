import { parseExactly } from './exact-json.js';
import { accessToken, refreshSession } from './session.js';

/** What the server refused, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** More than the page reads of one answer. */
export class TooLong extends Error {
  constructor() {
    super('There is more of this than can be shown.');
  }
}

/** Of an answer, in characters. */
const LONGEST_ANSWER = 2_000_000;

export interface Options {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** JSON. */
  readonly body?: string;
  /** Whoever asked is gone: the answer is of no use to anybody. */
  readonly signal?: AbortSignal;
}

/** A call of the server API, with new tokens when the old ones are over. @throws Refusal */
export async function call(path: string, options: Options = {}): Promise<string> {
  const token = accessToken() ?? '';
  let response = await send(path, token, options);
  if (response.status === 401 && (await refreshSession(token))) {
    response = await send(path, accessToken() ?? '', options);
  }
  const text = await bounded(response);
  if (!response.ok) throw new Refusal(response.status, wordsOf(response.status, text));
  return text;
}

/** What a device has sent may be of any length. @throws TooLong */
async function bounded(response: Response): Promise<string> {
  if (!response.body) return response.text();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
    if (text.length > LONGEST_ANSWER) {
      await reader.cancel();
      throw new TooLong();
    }
  }
}

/** Without a session: the login. @throws Refusal */
export async function callPublic<T>(path: string, body: object): Promise<T> {
  const response = await send(path, undefined, { method: 'POST', body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Refusal(response.status, wordsOf(response.status, text));
  return JSON.parse(text);
}

export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await call(path, { signal }));
}

/** As `read`, with values for `exactValue`. */
export async function readExactly<T>(path: string, signal?: AbortSignal): Promise<T> {
  return parseExactly(await call(path, { signal })) as T;
}

async function send(path: string, token: string | undefined, { method = 'GET', body, signal }: Options) {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers['X-Authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(path, { method, headers, body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal(0, 'The gateway cannot be reached.');
  }
}

function wordsOf(status: number, text: string): string {
  if (text === '') return `The gateway answered ${status}, without a word.`;
  try {
    const { message } = JSON.parse(text);
    if (typeof message === 'string') return message;
  } catch {
    // Some refusals are plain text.
  }
  return text;
}

/** What to tell of a failure. */
export const wordsFor = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs something of a view whose failure is of interest only as long as the view is there. */
export function whileThere(signal: AbortSignal, work: Promise<unknown>, failed: (words: string) => void): void {
  work.catch((error: unknown) => {
    if (!signal.aborted) failed(wordsFor(error));
  });
}

/** Now and again as long as the view is there and somebody can see it; the next turn waits for the last one. */
export function repeat(signal: AbortSignal, pause: number, turn: () => Promise<void>): void {
  const loop = async () => {
    while (!signal.aborted) {
      if (document.visibilityState === 'visible') await turn();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  loop().catch(() => {});
}
