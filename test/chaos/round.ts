import { setTimeout as delay } from 'node:timers/promises';
import { type AttributeWaiter, AttributeWriter, ObservingWaiter, PollingWaiter } from './attribute-load';
import { eventually } from './patience';
import { ReadinessWatch, readiness } from './readiness';
import { CommandSender, type CommandTaker, ObservingTaker, PollingTaker } from './rpc-load';
import { type ChaosDevice, metricAt, type Site } from './site';
import { TelemetryAudit } from './telemetry-audit';
import { TelemetryLoad } from './telemetry-load';

export const DEVICES = 4;
/** Load before the fault and after it. */
const STEADY = 1_500;
/** By then everything has recovered and all that was accepted has arrived. */
const SETTLE_LIMIT = 30_000;

/** What breaks, and where it can. */
export interface Fault<S extends Site> {
  readonly name: string;
  /** The kind of store that it needs. */
  readonly store?: string;
  /** Whether every process has to have said meanwhile that it is not ready. */
  readonly notReady: boolean;
  /**
   * Resolves when the fault is over, not when all has recovered from it.
   * @param replaced to be called when a gateway that was killed runs again
   */
  inject(site: S, round: number, replaced: (index: 0 | 1) => void): Promise<void>;
}

/** What one fault did. Everything but `acknowledged`, `refused` and `commands` has to be 0 or empty. */
export interface RoundResult {
  readonly fault: string;
  /** Telemetry messages. */
  readonly acknowledged: number;
  readonly refused: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Acknowledged messages that the server API does not show. */
  readonly notShown: number;
  /** Accepted commands, and those that were not delivered, or whose state is not what happened. */
  readonly commands: number;
  readonly commandsLost: number;
  /** Waiters that were not told the last state. */
  readonly stale: number;
  /** Anything else, in words. */
  readonly complaints: readonly string[];
}

interface Taker {
  readonly device: ChaosDevice;
  readonly sender: CommandSender;
  readonly taker: CommandTaker;
}

/**
 * Steady load over both protocols and both gateways, the fault in the middle of it, then an account of everything that
 * was acknowledged. The devices are new: every round starts from nothing.
 */
export async function runRound<S extends Site>(site: S, fault: Fault<S>, round: number): Promise<RoundResult> {
  const devices = await site.createDevices(DEVICES, `${fault.store ?? 'site'}-${round}`);
  const audit = await TelemetryAudit.begin(site);
  const readinessWatch = new ReadinessWatch(site);
  const telemetry = await startTelemetry(site, devices);
  const writers = devices.map((device) => new AttributeWriter(site, device, 0));
  const waiters = await startWaiters(site, devices);
  const takers = await startTakers(site, devices);

  await delay(STEADY);
  await fault.inject(site, round, (index) => {
    for (const waiter of waiters) waiter.gatewayReplaced(index);
    for (const { taker } of takers) taker.gatewayReplaced(index);
  });
  const unready = await eventually(SETTLE_LIMIT, () => notReady(site));
  await delay(STEADY);
  await Promise.all([...telemetry, ...writers, ...takers.map(({ sender }) => sender)].map((load) => load.stop()));

  const commandsLost = await lastCount((say) => eventually(SETTLE_LIMIT, () => say(commandFailures(site, takers))));
  const stale = await lastCount((say) =>
    eventually(SETTLE_LIMIT, () => say(staleWaiters(site, devices, writers, waiters))),
  );
  const notShown = await lastCount((say) => eventually(SETTLE_LIMIT, () => say(missingInView(site, telemetry))));
  await audit.read();
  await Promise.all([...waiters, ...takers.map(({ taker }) => taker), readinessWatch].map((part) => part.stop()));
  await audit.end();

  const complaints: string[] = [];
  const kept = await eventually(SETTLE_LIMIT, () => leftovers(site));
  if (kept !== undefined) complaints.push(kept);
  if (unready !== undefined) complaints.push(unready);
  if (fault.notReady && !readinessWatch.wentDown) complaints.push('a gateway never said that it was not ready');
  complaints.push(...site.processes.filter(({ died }) => died).map(({ name }) => `${name} died`));
  const counts = telemetry.flatMap(({ device, acknowledged }) =>
    [...acknowledged].map((number) => audit.times(device.id, number)),
  );
  return {
    fault: fault.name,
    acknowledged: counts.length,
    refused: telemetry.reduce((sum, { refused }) => sum + refused, 0),
    lost: counts.filter((times) => times === 0).length,
    duplicated: counts.filter((times) => times > 1).length,
    notShown: notShown.length,
    commands: takers.reduce((sum, { sender }) => sum + sender.sent.length, 0),
    commandsLost: commandsLost.length,
    stale: stale.length,
    complaints: [...complaints, ...commandsLost, ...stale, ...notShown.slice(0, 3)],
  };
}

/** Each device sends over both protocols, each to another gateway, with numbers that do not meet. */
async function startTelemetry(site: Site, devices: readonly ChaosDevice[]): Promise<TelemetryLoad[]> {
  const base = Date.now();
  const loads: TelemetryLoad[] = [];
  for (const [n, device] of devices.entries()) {
    loads.push(await TelemetryLoad.start(site, device, 'http', n % 2 === 0 ? 0 : 1, base));
    loads.push(await TelemetryLoad.start(site, device, 'coap', n % 2 === 0 ? 1 : 0, base + 10_000_000));
    const more = await site.moreTelemetry?.(device, base + 20_000_000);
    if (more) loads.push(more);
  }
  return loads;
}

/** Every device waits in a poll at one gateway and in an observation at the other. */
async function startWaiters(site: Site, devices: readonly ChaosDevice[]): Promise<AttributeWaiter[]> {
  const waiters: AttributeWaiter[] = [];
  for (const [n, device] of devices.entries()) {
    waiters.push(new PollingWaiter(site, device, n % 2 === 0 ? 1 : 0));
    waiters.push(await ObservingWaiter.start(site, device, n % 2 === 0 ? 0 : 1));
  }
  return waiters;
}

/** Every second device takes its commands by polls, the others by an observation. */
async function startTakers(site: Site, devices: readonly ChaosDevice[]): Promise<Taker[]> {
  const takers: Taker[] = [];
  for (const [n, device] of devices.entries()) {
    const gateway = n < DEVICES / 2 ? 0 : 1;
    const taker =
      n % 2 === 0 ? new PollingTaker(site, device, gateway) : await ObservingTaker.start(site, device, gateway);
    takers.push({ device, taker, sender: new CommandSender(site, device) });
  }
  return takers;
}

async function notReady(site: Site): Promise<string | undefined> {
  for (const [index, { name }] of site.processes.entries()) {
    const status = await readiness(site, index);
    if (status !== 200) return `${name} is not ready again: ${status}`;
  }
  return undefined;
}

/** What has to be empty once nobody asks for anything any more. */
const EMPTY = ['tandem_telemetry_in_flight_bytes', 'tandem_telemetry_backlog', 'tandem_http_open_polls'] as const;

async function leftovers(site: Site): Promise<string | undefined> {
  for (const metric of EMPTY) {
    let known = false;
    for (const { name, metrics } of site.processes) {
      const value = await metricAt(metrics, metric);
      known ||= !Number.isNaN(value);
      if (value > 0) return `${name} keeps ${metric} ${value}`;
    }
    if (!known) return `nobody has ${metric}`;
  }
  return undefined;
}

async function commandFailures(site: Site, takers: readonly Taker[]): Promise<string[]> {
  const client = site.client(0);
  const failures: string[] = [];
  for (const { sender, taker, device } of takers) {
    for (const { rpcId, way, number } of sender.sent) {
      const { status, text } = await client.send('GET', `/api/rpc/persistent/${rpcId}`);
      const state = status === 200 ? (JSON.parse(text) as { status: string }).status : String(status);
      const wanted = way === 'oneway' ? 'DELIVERED' : 'SUCCESSFUL';
      if (state !== wanted) failures.push(`${way} command ${number} of ${device.token} is ${state}`);
      else if (!taker.arrived.has(number)) failures.push(`${way} command ${number} of ${device.token} never arrived`);
    }
  }
  return failures;
}

async function staleWaiters(
  site: Site,
  devices: readonly ChaosDevice[],
  writers: readonly AttributeWriter[],
  waiters: readonly AttributeWaiter[],
): Promise<string[]> {
  const client = site.client(1);
  const failures: string[] = [];
  for (const [n, device] of devices.entries()) {
    const stored = Number((await client.attributes(device.id, 'SHARED_SCOPE')).v ?? 0);
    const acknowledged = writers[n]?.acknowledged ?? 0;
    if (stored < acknowledged) failures.push(`${device.token} has ${stored}, ${acknowledged} was acknowledged`);
    for (const { name, told } of waiters.filter((waiter) => waiter.name.includes(`${device.token} `))) {
      if (told !== stored) failures.push(`${name} was told ${told}, not ${stored}`);
    }
  }
  return failures;
}

async function missingInView(site: Site, telemetry: readonly TelemetryLoad[]): Promise<string[]> {
  const client = site.client(0);
  const failures: string[] = [];
  for (const device of new Set(telemetry.map((load) => load.device))) {
    const shown = (await client.history(device.id, 'n')).map(({ ts }) => ts);
    const found = new Set(shown);
    if (found.size !== shown.length) failures.push(`${device.token} has points twice`);
    for (const load of telemetry.filter((candidate) => candidate.device === device)) {
      const missing = [...load.acknowledged].filter((number) => !found.has(number));
      failures.push(...missing.map((number) => `${device.token} does not show ${number}`));
    }
  }
  return failures;
}

/** Runs a check until it finds nothing, or the time is over; what it found last. */
async function lastCount(
  run: (say: (found: Promise<string[]>) => Promise<string | undefined>) => Promise<string | undefined>,
): Promise<readonly string[]> {
  let last: readonly string[] = [];
  const failure = await run(async (found) => {
    last = await found;
    return last[0];
  });
  return last.length === 0 && failure !== undefined ? [failure] : last;
}
