import { readFileSync } from 'node:fs';
import { answered, eventually, Loop } from '../chaos/patience';
import { GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { Child } from './child';
import type { ForgerOrder, ForgerReport } from './forger';
import type { Excess } from './lane';
import { SETTINGS } from './limits';
import { Probe } from './probe';
import { Seeded } from './seeded';
import type { SenderOrder, SenderReport } from './sender';
import { type Metrics, Watch } from './watch';

export interface FuzzOptions {
  readonly seed: number;
  /** Datagrams in all. */
  readonly count: number;
  /** Datagrams per second, of all senders. */
  readonly rate: number;
  /** Told now and then how far it is. */
  readonly progress?: (line: string) => void;
}

/** What was not as promised; empty lists when all was. */
export interface Complaints {
  readonly crashed: readonly string[];
  readonly errors: readonly string[];
  readonly excesses: readonly Excess[];
  readonly unready: readonly string[];
  readonly growth: readonly string[];
  readonly unbounded: readonly string[];
  readonly unanswered: readonly string[];
  readonly notStored: readonly string[];
  readonly leftOver: readonly string[];
}

export interface FuzzReport {
  readonly seed: number;
  readonly seconds: number;
  readonly sent: number;
  /** Of `sent`: from raw sockets. */
  readonly forged: number;
  /** Why nothing was forged. */
  readonly refusal: string | undefined;
  /** As the gateway counts. */
  readonly received: number;
  /** What the system did not hand over to the gateway: its socket was full, or a header was wrong. */
  readonly withheld: number;
  readonly strangers: { readonly bytes: number; readonly replyBytes: number; readonly replies: number };
  readonly probes: { readonly sent: number; readonly atOnce: number };
  readonly memory: { readonly warm: number; readonly peak: number };
  readonly logLines: number;
  readonly peaks: Metrics;
  readonly metrics: Metrics;
  readonly complaints: Complaints;
}

const SENDERS = 2;
/** So many of a hundred datagrams are forged. */
const FORGED = 15;
const DEVICES = 40;
const PROBE_INTERVAL = 500;
const STIR_INTERVAL = 50;
/** For what is still on its way when the last datagram has been sent. */
const AFTERMATH = 20_000;

/** Floods a gateway of its own and watches it. Rejects when that cannot be done, not when the gateway does not bear it. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const gateway = await GatewayProcess.start(SETTINGS);
  const server = await ServerClient.login(gateway.http);
  const random = new Seeded(options.seed);
  const devices: { readonly id: string; readonly token: string }[] = [];
  for (let n = 0; n < DEVICES; n++) {
    const token = `fuzzed-${n}-${random.word(8)}`;
    devices.push({ id: await server.createDevice(token), token });
  }
  const observer = { id: await server.createDevice('ordinary'), token: 'ordinary' };
  // Longer than a block, so that there are blocks to ask for.
  for (const { id } of devices) await server.share(id, { long: 'x'.repeat(3_000) });
  const probe = await Probe.open(gateway.coap, observer.token);
  await probe.post();
  const watch = new Watch(gateway);
  const flood = new Flood(
    options,
    gateway.coap,
    devices.map(({ token }) => token),
    random,
  );
  const ids = devices.map(({ id }) => id);
  const stirring = stir(server, ids, random.fork());
  const since = Date.now();
  watch.start();
  probe.start(PROBE_INTERVAL);
  const progress = (line: string) =>
    options.progress?.(`${line}, ${memoryLine(watch)}, ${probe.sent} ordinary requests`);
  try {
    await Promise.race([flood.run(progress), watch.end]);
  } finally {
    await flood.stop();
    await stirring.stop();
  }
  const seconds = (Date.now() - since) / 1000;
  await Promise.race([probe.stop(), watch.end]);
  await watch.stop();
  let notStored: string | undefined;
  let leftOver: string | undefined;
  if (watch.crashed.length === 0) {
    notStored = await eventually(AFTERMATH, () => missing(server, observer.id, probe.acknowledged));
    leftOver = await aftermath(gateway, server, ids);
    if (!(await probe.post())) probe.complaints.push('not answered at the first try when all was over');
    await watch.look();
  }
  probe.close();
  const withheld = withheldFrom(gateway.coap);
  const exit = await gateway.stop(watch.crashed.length === 0 ? 'SIGTERM' : 'SIGKILL');
  if (watch.crashed.length === 0 && exit.code !== 0) {
    watch.crashed.push(`it ended with ${JSON.stringify(exit)} when it was asked to stop`);
  }
  return {
    seed: options.seed,
    seconds,
    ...flood.totals,
    received: watch.metrics.get('tandem_coap_datagrams_total{protocol="coap"}') ?? 0,
    withheld,
    probes: { sent: probe.sent, atOnce: probe.atOnce },
    memory: watch.memoryCourse,
    logLines: watch.logLines,
    peaks: watch.peaks,
    metrics: watch.metrics,
    complaints: {
      crashed: watch.crashed,
      errors: watch.errors,
      excesses: flood.excesses,
      unready: watch.unready,
      growth: watch.growth,
      unbounded: [...watch.unbounded].map(([name, what]) => `${name} ${what}`),
      unanswered: probe.complaints,
      notStored: notStored === undefined ? [] : [notStored],
      leftOver: leftOver === undefined ? [] : [leftOver],
    },
  };
}

/** The processes that send. */
class Flood {
  readonly #senders: Child<SenderReport>[];
  readonly #forger: Child<ForgerReport>;

  constructor({ rate, count }: FuzzOptions, port: number, tokens: readonly string[], random: Seeded) {
    const gateway = { port };
    const forged = Math.floor((count * FORGED) / 100);
    const forgedRate = (rate * FORGED) / 100;
    this.#senders = Array.from({ length: SENDERS }, () => {
      const order: SenderOrder = {
        seed: random.below(0x1_0000_0000),
        gateway,
        tokens,
        rate: (rate - forgedRate) / SENDERS,
        count: Math.ceil((count - forged) / SENDERS),
      };
      return new Child('sender.ts', order);
    });
    const order: ForgerOrder = { seed: random.below(0x1_0000_0000), gateway, rate: forgedRate, count: forged };
    this.#forger = new Child('forger.ts', order);
  }

  async run(progress: (line: string) => void): Promise<void> {
    const timer = setInterval(() => progress(`${this.totals.sent} datagrams sent`), 5_000);
    try {
      await Promise.all([...this.#senders, this.#forger].map(({ done }) => done));
    } finally {
      clearInterval(timer);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#senders, this.#forger].map((child) => child.stop()));
  }

  get totals() {
    const reports = this.#senders.map(({ report }) => report).filter((report) => report !== undefined);
    const sum = (of: (report: SenderReport) => number) => reports.reduce((total, report) => total + of(report), 0);
    const forged = this.#forger.report;
    const sentForged = forged?.refusal === undefined ? (forged?.sent ?? 0) : 0;
    return {
      sent: sum(({ strangers, devices }) => strangers.datagrams + devices.datagrams) + sentForged,
      forged: sentForged,
      refusal: forged?.refusal,
      strangers: {
        bytes: sum(({ strangers }) => strangers.bytes) + (forged?.victims.bytes ?? 0),
        replyBytes: sum(({ strangers }) => strangers.replyBytes) + (forged?.victims.replyBytes ?? 0),
        replies: sum(({ strangers }) => strangers.replies) + (forged?.victims.replies ?? 0),
      },
    };
  }

  get excesses(): Excess[] {
    const ofSenders = this.#senders.flatMap(({ report }) => report?.strangers.excesses ?? []);
    return [...ofSenders, ...(this.#forger.report?.victims.excesses ?? [])];
  }
}

/** Gives observers something to be told: attributes change, and commands come. */
function stir(server: ServerClient, devices: readonly string[], random: Seeded): Loop {
  let count = 0;
  return new Loop(async () => {
    const device = devices[random.below(devices.length)] ?? '';
    const change = random.percent(70)
      ? server.share(device, { limit: ++count, text: random.word(random.below(40)) })
      : server.command('oneway', device, { method: 'blink', params: ++count, timeout: 1_000 });
    await answered<unknown>(change);
    return true;
  }, STIR_INTERVAL);
}

/** Which of the acknowledged values the server API does not show. */
async function missing(server: ServerClient, device: string, values: readonly number[]): Promise<string | undefined> {
  const stored = new Set((await server.history(device, 'probe')).map(({ value }) => Number(value)));
  const lost = values.filter((value) => !stored.has(value));
  return lost.length === 0 ? undefined : `acknowledged and not stored: ${lost.join(', ')}`;
}

/** With the devices, everything goes that was held for them; what ran has been answered. */
async function aftermath(
  gateway: GatewayProcess,
  server: ServerClient,
  devices: readonly string[],
): Promise<string | undefined> {
  for (const device of devices) await server.send('DELETE', `/api/device/${device}`);
  return eventually(AFTERMATH, async () => {
    const [observations, running] = await Promise.all([
      gateway.metric('tandem_coap_observations'),
      gateway.metric('tandem_coap_running_exchanges'),
    ]);
    return observations + running === 0 ? undefined : `left over: ${observations} observations, ${running} exchanges`;
  });
}

/** How many datagrams for that port the system has dropped. */
function withheldFrom(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const row = readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .find((line) => line.includes(`0100007F:${hex} `));
  return Number(row?.trim().split(/\s+/).at(-1) ?? 0);
}

const memoryLine = ({ memory }: Watch): string => `${Math.round((memory.at(-1) ?? 0) / (1 << 20))} MB`;
