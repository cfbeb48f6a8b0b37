import { type Millis, systemClock } from '@tandem/core';
import { explain, NoAnswer } from '../device/device-link';
import { parseCount, parseDuration } from '../device/duration';
import { tokensIn } from '../device/fleet';
import { gatewayUrl } from '../device/gateway-url';
import { pause } from '../device/pause';
import { coapRequester } from './coap-requester';
import { httpRequester } from './http-requester';
import { isSuccess, Measurement, renderOutcome } from './measurement';
import { type Requester, WORKLOADS, type Workload, type WorkloadName } from './workload';

export interface BenchCommandOptions {
  readonly token?: string;
  readonly devices?: string;
  readonly connections: string;
  readonly seconds: string;
  readonly warmUp: string;
  readonly what: string;
  readonly json?: boolean;
}

/** After an attempt that nobody answered. */
const BREATH: Millis = 100;

/**
 * `tandem bench`: as many requests as a running gateway answers, one after the other on each connection.
 * @returns whether all of them succeeded
 * @throws Error in one line about options, or why the first request is not answered
 */
export async function runBench(
  address: string,
  options: BenchCommandOptions,
  print: (line: string) => void,
  stop: AbortController,
): Promise<boolean> {
  const url = gatewayUrl(address);
  const workload = workloadOf(options.what);
  const tokens = tokensOf(options);
  const connections = parseCount('--connections', options.connections);
  const [seconds, warmUp] = [parseDuration(options.seconds), parseDuration(options.warmUp)];
  const made = Array.from({ length: connections }, (_, at) =>
    requester(url, tokens[at % tokens.length] ?? '', workload),
  );
  const requesters = await Promise.all(made);
  try {
    await firstAnswer(requesters[0], url);
    if (!options.json) print(announcement(url, options.what, tokens.length, connections, seconds));
    const { signal } = stop;
    let measurement: Measurement | undefined;
    const loops = requesters.map((one) => loop(one, signal, () => measurement));
    await pause(systemClock, warmUp, signal);
    measurement = new Measurement();
    await pause(systemClock, seconds, signal);
    const outcome = measurement.end();
    measurement = undefined;
    stop.abort();
    // What is outstanding is not waited for: it counts no more.
    for (const one of requesters) one.close();
    await Promise.all(loops);
    const about = { url: url.href, what: options.what, connections, devices: tokens.length };
    print(options.json ? JSON.stringify({ ...about, ...outcome }) : renderOutcome(outcome));
    return outcome.answered > 0 && Object.keys(outcome.answers).every(isSuccess);
  } finally {
    for (const one of requesters) one.close();
  }
}

async function loop(one: Requester, signal: AbortSignal, current: () => Measurement | undefined): Promise<void> {
  while (!signal.aborted) {
    const measurement = current();
    const began = performance.now();
    try {
      const code = await one.send();
      // Only what began and ended within the time that is measured.
      if (measurement !== undefined && measurement === current()) measurement.answered(code, performance.now() - began);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NoAnswer)) throw error;
      current()?.failed(error.message);
      await pause(systemClock, BREATH, signal);
    }
  }
}

/** Whether it makes sense at all. @throws Error that says why not */
async function firstAnswer(one: Requester | undefined, url: URL): Promise<void> {
  const code = await one?.send().catch((error: unknown) => {
    throw error instanceof NoAnswer ? new Error(`${url.protocol}//${url.host}: ${error.message}`) : error;
  });
  if (code === undefined || isSuccess(code)) return;
  throw new Error(explain({ code, body: Buffer.alloc(0), retryAfter: undefined }));
}

const requester = async (url: URL, token: string, workload: Workload): Promise<Requester> =>
  url.protocol === 'coap:' ? coapRequester(url, token, workload) : httpRequester(url, token, workload);

function workloadOf(name: string): Workload {
  if (Object.hasOwn(WORKLOADS, name)) return WORKLOADS[name as WorkloadName];
  throw new Error(`--what is one of ${Object.keys(WORKLOADS).join(', ')}, not "${name}"`);
}

function tokensOf({ token, devices }: BenchCommandOptions): readonly string[] {
  if ((token === undefined) === (devices === undefined)) throw new Error('Give one of --token and --devices');
  return token === undefined ? tokensIn(devices ?? '', undefined).map((member) => member.token) : [token];
}

function announcement(url: URL, what: string, devices: number, connections: number, seconds: Millis): string {
  const kept = what === 'read' ? '' : ' What it sends is kept there.';
  return `Loads ${url.protocol}//${url.host} with ${what} of ${devices} devices over ${connections} connections for ${seconds / 1_000} s.${kept}`;
}
