import { shellLine, shellWord } from './shell';

export interface CommandLine {
  readonly title: string;
  readonly protocol: 'http' | 'https' | 'coap' | 'coaps';
  readonly command: string;
}

/** What a device can do, in the order in which somebody tries it. */
interface Step {
  readonly title: string;
  /** Behind `/api/v1` and the token. */
  readonly path: string;
  /** What is sent; without it something is read. */
  readonly body?: string;
  /** It waits for what happens. */
  readonly waits?: true;
}

/** Of both doors: seconds that a line waits. */
const PATIENCE_SECONDS = 60;

const STEPS: readonly Step[] = [
  { title: 'Send telemetry', path: '/telemetry', body: '{"temperature":25}' },
  { title: 'Set client attributes', path: '/attributes', body: '{"serial":"A-17"}' },
  { title: 'Read attributes', path: '/attributes' },
  { title: 'Wait for updates of shared attributes', path: '/attributes', waits: true },
  { title: 'Wait for commands', path: '/rpc', waits: true },
  { title: 'Answer command 0', path: '/rpc/0', body: '{"done":true}' },
];

/**
 * With curl.
 * @param base URL up to the token, or to `/api/v1` where the device is known by its certificate
 */
export const curlLines = (
  protocol: 'http' | 'https',
  base: string,
  credentials: readonly string[],
): readonly CommandLine[] =>
  STEPS.map(({ title, path, body, waits }) => {
    const polled = path === '/attributes' ? '/attributes/updates' : path;
    const url = `${base}${waits ? `${polled}?timeout=${PATIENCE_SECONDS * 1_000}` : path}`;
    const sent = body === undefined ? [] : ['--header', 'Content-Type:application/json', '--data', body];
    const method = body === undefined ? [] : ['-X', 'POST'];
    return { title, protocol, command: shellLine(['curl', '-v', ...credentials, ...method, url, ...sent]) };
  });

/**
 * With the client of libcoap.
 * @param client what it is called
 * @param credentials as they stand in a shell
 */
export const coapLines = (
  protocol: 'coap' | 'coaps',
  base: string,
  client: string,
  credentials: readonly string[],
): readonly CommandLine[] =>
  STEPS.map(({ title, path, body, waits }) => {
    const sent = body === undefined ? ['-m', 'get'] : ['-m', 'post', '-t', 'json', '-e', body];
    const waiting = waits ? ['-s', String(PATIENCE_SECONDS)] : [];
    const words = [...sent, ...waiting, `${base}${path}`].map(shellWord);
    return { title, protocol, command: [client, ...credentials, ...words].join(' ') };
  });
