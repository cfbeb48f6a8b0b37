import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gatewayCommand } from '../benchmark';
import { Contestant } from '../contestant';
import type { GeneratorConfig } from '../load/generator-messages';
import { LoadGenerator } from '../load/generator-process';
import type { BenchOptions } from '../options';
import { freeUdpPort } from '../servers/free-port';
import { type GatewayUnderTest, startGateway } from '../servers/gateway';
import { table } from '../table';
import { makeCertificate } from './certificates';
import type { ClientFiles } from './dtls-client';
import { measureSessions } from './session-memory';

/** Of the messages that the gateway takes over plain CoAP for one second of CPU time, it takes at least so many over DTLS. */
const MIN_MESSAGES_RATIO = 0.5;

/** Handshakes under way at the same time. */
const LANES = 16;
const SERVER_CORE = 0;
const GENERATOR_CORE = 1;

export interface SecureGateway extends GatewayUnderTest {
  readonly coapsPort: number;
}

interface Contestants {
  readonly plain: Contestant;
  readonly dtls: Contestant;
  readonly full: Contestant;
  readonly resumed: Contestant;
}

/** One gateway with both CoAP doors, which are loaded in turn. Returns the limits that are missed. */
export async function benchmarkDtls(options: BenchOptions, print: (line: string) => void): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tandem-bench-dtls-'));
  const discard = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', discard);
  const command = gatewayCommand(options);
  const server = makeCertificate(folder, 'server');
  const start = async (name: string, env: NodeJS.ProcessEnv = {}): Promise<SecureGateway> => {
    const home = path.join(folder, name);
    mkdirSync(home);
    return startSecureGateway(command, home, server, options, env);
  };
  try {
    const missed: string[] = [];
    if (options.rounds > 0) missed.push(...(await compare(await start('gateway'), folder, options, print)));
    if (options.sessions > 0) await measureSessions({ start, folder, sessions: options.sessions, print });
    discard();
    return missed;
  } catch (error) {
    process.off('exit', discard);
    print(`what the servers wrote is in ${folder}`);
    throw error;
  }
}

async function startSecureGateway(
  command: readonly string[],
  folder: string,
  { certificate, key }: ClientFiles,
  options: BenchOptions,
  env: NodeJS.ProcessEnv,
): Promise<SecureGateway> {
  const coapsPort = await freeUdpPort();
  const gateway = await startGateway({
    protocol: 'coap',
    command,
    folder,
    devices: options.devices,
    core: options.pin ? SERVER_CORE : undefined,
    env: {
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
      COAP_DTLS_BIND_PORT: String(coapsPort),
      COAP_DTLS_PEM_CERT: certificate,
      COAP_DTLS_PEM_KEY: key,
      TANDEM_COAP_DTLS_MAX_SESSIONS: '100000',
      // All clients are at one address here.
      TANDEM_COAP_DTLS_MAX_SESSIONS_PER_ADDRESS: '100000',
      ...env,
    },
  });
  return { ...gateway, coapsPort };
}

async function compare(
  gateway: SecureGateway,
  folder: string,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<string[]> {
  const started: Contestant[] = [];
  const enter = async (name: string, config: GeneratorConfig): Promise<Contestant> => {
    const home = path.join(folder, `load-${started.length}`);
    mkdirSync(home);
    const generator = await LoadGenerator.start(config, home, options.pin ? GENERATOR_CORE : undefined);
    const contestant = new Contestant({ ...gateway, name }, generator, print);
    started.push(contestant);
    return contestant;
  };
  const { host, tokens, port, coapsPort } = gateway;
  const { peers, window } = options;
  const files = makeCertificate(folder, 'client');
  const handshakes = { load: 'handshakes', host, port: coapsPort, files, lanes: LANES } as const;
  try {
    const contestants = {
      plain: await enter('plain CoAP', { load: 'coap', host, port, tokens, peers, window }),
      dtls: await enter('CoAP over DTLS', { load: 'coaps', host, port: coapsPort, tokens, peers, window }),
      full: await enter('full', { ...handshakes, resumed: false }),
      resumed: await enter('resumed', { ...handshakes, resumed: true }),
    };
    await runRounds(contestants, options, print);
    return report(contestants, options, print);
  } finally {
    await Promise.all(started.map((contestant) => contestant.stopGenerator()));
    await gateway.stop();
  }
}

/** Interleaved, so that a slow minute of the machine meets all alike. */
async function runRounds(
  contestants: Contestants,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<void> {
  const { plain, dtls, full, resumed } = contestants;
  for (const contestant of [plain, dtls]) await contestant.load(options.warmup);
  for (let number = 1; number <= options.rounds; number += 1) {
    for (const contestant of [plain, dtls, full, resumed]) {
      const round = await contestant.load(options.seconds);
      contestant.rounds.push(round);
      const speed = `${Math.round(round.requestsPerSecond)}/s, ${round.cpuMicrosPerRequest.toFixed(1)} us CPU each`;
      print(`round ${number}, ${contestant.server.name}: ${speed}`);
    }
  }
}

function report(contestants: Contestants, options: BenchOptions, print: (line: string) => void): string[] {
  const { plain, dtls, full, resumed } = contestants;
  const { peers, window, devices, rounds, seconds } = options;
  const medians = `medians of ${rounds} x ${seconds} s`;
  print(
    `\ndtls: ${peers} peers with CON messages, ${Math.min(window, peers)} outstanding, ${devices} devices; ${medians}`,
  );
  print(resultTable('messages', [plain, dtls]));
  print(`\nhandshakes on P-256, both sides with a certificate, ${LANES} under way; ${medians}`);
  print(resultTable('handshakes', [full, resumed]));
  const [before, after] = [plain.summary(), dtls.summary()];
  const perCpu = before.cpuMicrosPerRequest / after.cpuMicrosPerRequest;
  const perSecond = after.requestsPerSecond / before.requestsPerSecond;
  print(
    `\nDTLS messages / plain: ${perCpu.toFixed(2)} (by the server's CPU time; at least ${MIN_MESSAGES_RATIO} is wanted)`,
  );
  print(`DTLS messages / plain: ${perSecond.toFixed(2)} (messages/s, which the generators share the cores for)`);
  return perCpu >= MIN_MESSAGES_RATIO
    ? []
    : [`DTLS messages / plain is ${perCpu.toFixed(4)}, at least ${MIN_MESSAGES_RATIO} is wanted`];
}

function resultTable(unit: 'messages' | 'handshakes', contestants: readonly Contestant[]): string {
  const headings = ['', `${unit}/s`, 'CPU us each', 'p50 ms', 'p99 ms', 'generator busy', 'retransmissions'];
  const rows = contestants.map((contestant) => {
    const summary = contestant.summary();
    return [
      contestant.server.name,
      String(Math.round(summary.requestsPerSecond)),
      summary.cpuMicrosPerRequest.toFixed(1),
      (summary.p50Micros / 1000).toFixed(2),
      (summary.p99Micros / 1000).toFixed(2),
      `${Math.round(summary.generatorBusy * 100)} %`,
      String(summary.retransmissions),
    ];
  });
  return table([headings, ...rows]);
}
