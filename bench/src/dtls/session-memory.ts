import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { assertAllAnswered, FailedRun } from '../contestant';
import { megabytes } from '../limits';
import { LoadGenerator } from '../load/generator-process';
import { atRest, COLLECTING_OPTIONS } from '../measure/at-rest';
import { table } from '../table';
import type { SecureGateway } from './dtls-benchmark';

/** Every peer gets to send a message in that time. */
const LOAD_SECONDS = 5;
const WINDOW = 128;

export interface SessionMemoryOptions {
  readonly start: (name: string, env: NodeJS.ProcessEnv) => Promise<SecureGateway>;
  readonly folder: string;
  /** The larger one of two numbers of sessions; the other one is two fifths of it. */
  readonly sessions: number;
  readonly print: (line: string) => void;
}

/** What open sessions, and beside them as many peers of plain CoAP, add to the anonymous memory of a fresh gateway. */
export async function measureSessions(options: SessionMemoryOptions): Promise<void> {
  const { sessions, print } = options;
  const counts = [Math.ceil((sessions * 2) / 5), sessions];
  const plain = await measure('coap', counts, options);
  const dtls = await measure('coaps', counts, options);
  print('\nanonymous memory at rest, each peer after its messages; bytes each');
  print(
    table([
      ['peers', 'plain CoAP', 'each', 'CoAP over DTLS', 'each'],
      ...counts.map((count, at) => [String(count), ...cells(plain, at, count), ...cells(dtls, at, count)]),
    ]),
  );
}

/** @param grown bytes with so many peers, the first: with none */
function cells(grown: readonly number[], at: number, count: number): string[] {
  const bytes = (grown[at + 1] ?? Number.NaN) - (grown[0] ?? Number.NaN);
  return [megabytes(bytes), (bytes / count).toFixed(0)];
}

async function measure(
  load: 'coap' | 'coaps',
  counts: readonly number[],
  { start, folder }: SessionMemoryOptions,
): Promise<number[]> {
  const gateway = await start(`memory-${load}`, { NODE_OPTIONS: COLLECTING_OPTIONS });
  const generators: LoadGenerator[] = [];
  const enter = async (peers: number): Promise<void> => {
    const home = path.join(folder, `memory-${load}-${generators.length}`);
    mkdirSync(home);
    const { host, tokens } = gateway;
    const port = load === 'coap' ? gateway.port : gateway.coapsPort;
    const generator = await LoadGenerator.start({ load, host, port, tokens, peers, window: WINDOW }, home, undefined);
    generators.push(generator);
    const result = await generator.run({ rampSeconds: 0, seconds: LOAD_SECONDS });
    assertAllAnswered(gateway.name, result);
  };
  try {
    // What the first messages bring about, the compiler's output above all, is no part of a peer.
    await enter(WINDOW);
    const bytes = [(await atRest(gateway)).collected];
    let open = 0;
    for (const count of counts) {
      await enter(count - open);
      open = count;
      if (load === 'coaps') await assertAllOpen(gateway, count + WINDOW);
      bytes.push((await atRest(gateway)).collected);
    }
    return bytes;
  } finally {
    await Promise.all(generators.map((generator) => generator.stop()));
    await gateway.stop();
  }
}

/** A session that the gateway has closed costs nothing. */
async function assertAllOpen({ metricsOrigin }: SecureGateway, count: number): Promise<void> {
  const metrics = await (await fetch(`${metricsOrigin}/metrics`)).text();
  const open = Number(/^tandem_dtls_sessions (\d+)$/m.exec(metrics)?.[1]);
  if (open !== count) throw new FailedRun(`the gateway has ${open} DTLS sessions, not ${count}`);
}
