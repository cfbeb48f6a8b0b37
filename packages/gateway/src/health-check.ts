import { get } from 'node:http';

/**
 * The health check of a container: asks the process beside it whether it is ready. A program of its own that loads
 * nothing of the gateway, since it is started every few seconds.
 */

/** Less than a container engine waits for the check. */
const DEADLINE = 4_000;
/** Characters of an answer that are worth a line. */
const LONGEST_ANSWER = 500;

export interface Verdict {
  readonly ready: boolean;
  /** One line: what was answered, or why there is no answer. */
  readonly text: string;
}

/** `/readyz` of the gateway with these settings; the defaults are those of `TANDEM_METRICS_*`. */
export function readyUrl(environment: NodeJS.ProcessEnv): string {
  const address = environment.TANDEM_METRICS_ADDRESS || '0.0.0.0';
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${environment.TANDEM_METRICS_PORT || '9090'}/readyz`;
}

/** Resolves whatever happens, within `deadline` ms. */
export function askReady(url: string, deadline: number = DEADLINE): Promise<Verdict> {
  return new Promise((resolve) => {
    const verdict = (ready: boolean, text: string) => resolve({ ready, text: text.trim().replaceAll('\n', '; ') });
    const failed = (error: Error) =>
      verdict(false, `${url}: ${error.name === 'AbortError' ? `no answer in ${deadline} ms` : error.message}`);
    if (!URL.canParse(url)) return verdict(false, `${url} is not a URL`);
    try {
      get(url, { signal: AbortSignal.timeout(deadline), agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('error', failed);
        response.on('data', (text: string) => {
          if (body.length < LONGEST_ANSWER) body = (body + text).slice(0, LONGEST_ANSWER);
        });
        response.on('end', () => verdict(response.statusCode === 200, body || `status ${response.statusCode}`));
      }).on('error', failed);
    } catch (error) {
      failed(error as Error);
    }
  });
}

/** `tandem-health [url]`: exit code 0 where the answer is 200, else 1. */
export async function main(): Promise<void> {
  const { ready, text } = await askReady(process.argv[2] ?? readyUrl(process.env));
  (ready ? process.stdout : process.stderr).write(`${text}\n`);
  process.exitCode = ready ? 0 : 1;
}
