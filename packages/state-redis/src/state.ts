import { type Millis, type State, TandemError } from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';
import { RedisActivity } from './activity/redis-activity';
import { RedisAttributes } from './attributes';
import { Commands, type ConnectionSettings, closeClient, openClient } from './client';
import { RedisEvents, RedisFeed, RedisProcesses, RedisSubscriptions, RedisWakeUps, type Subscriptions } from './events';
import { Keys } from './keys';
import { RedisFailureCounters } from './limits/failure-counters';
import { RedisRateCounters } from './limits/rate-counters';
import { awaitRedis } from './open';
import type { RedisStateOptions } from './options';
import { pingStore } from './ping';
import { Registry, type WakeSource } from './registry';
import { RedisRollouts } from './rollouts/redis-rollouts';
import { RedisRpcs } from './rpc/redis-rpcs';
import { RedisMaterialiser, RedisTelemetryLog, RedisTelemetryView } from './telemetry';

const PROCESS_ID_BYTES = 6;
/**
 * How long Redis may take for what is under way when the store is closed. Nobody waits for it by then: what was under way
 * for a caller has been answered, and what was sent a Redis that hangs still takes when it goes on.
 */
const CLOSE_TIMEOUT: Millis = 2_300;

/**
 * Opens the store; resolves when Redis is there, fit and answers, however long that takes.
 * @throws RedisRefusedError when it must not be used; SecretKeyError when its secrets are sealed by other keys; the reason of `signal` when that is aborted
 */
export async function openRedisState(options: RedisStateOptions): Promise<State> {
  const found = await awaitRedis(options);
  const connection: ConnectionSettings = {
    address: options.address,
    cluster: found.cluster,
    timeout: options.timeout,
  };
  const clients = openClients(connection, options);
  const unwatch = found.watch(clients.commands);
  const opened: Closing[] = [];
  try {
    const { state } = await compose(options, connection, clients, unwatch, opened);
    return state;
  } catch (error) {
    unwatch();
    // Whoever opens the store tries again, perhaps for hours: nothing of an attempt may stay behind.
    await Promise.allSettled(opened.reverse().map((close) => close()));
    await Promise.all([...clients.all].map(closeClient));
    if (error instanceof TandemError && error.code === 'STORE_UNAVAILABLE') options.onWaiting?.(whyNot(error));
    throw error;
  }
}

type Closing = () => void | Promise<void>;

/** The sentence for callers, and what Redis answered. Without a secret. */
const whyNot = ({ message, cause }: TandemError): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message;

interface Clients {
  readonly commands: Redis | Cluster;
  /** A WAIT holds up what comes behind it: what waits for replicas has connections of its own. */
  readonly waiting: Redis | Cluster;
  readonly telemetry: Redis | Cluster;
  readonly all: ReadonlySet<Redis | Cluster>;
}

function openClients(connection: ConnectionSettings, { waitReplicas, logger }: RedisStateOptions): Clients {
  const commands = openClient(connection, logger);
  const another = () => (waitReplicas > 0 ? openClient(connection, logger) : commands);
  const [waiting, telemetry] = [another(), another()];
  return { commands, waiting, telemetry, all: new Set([commands, waiting, telemetry]) };
}

async function compose(
  options: RedisStateOptions,
  connection: ConnectionSettings,
  clients: Clients,
  unwatch: () => void,
  opened: Closing[],
): Promise<{ state: State }> {
  const { clock, random, logger, metrics } = options;
  const keys = new Keys(options.prefix);
  const processId = random.bytes(PROCESS_ID_BYTES).toString('hex');
  const commands = new Commands(clients.commands, clients.waiting, options);
  const subscriptions = new RedisSubscriptions(clients.commands, options);
  opened.push(() => subscriptions.close());
  const wakeUps = new RedisWakeUps(subscriptions, {
    keys,
    processId,
    cluster: connection.cluster,
    clock,
    logger,
    metrics,
    rereadInterval: options.rereadInterval,
  });
  opened.push(() => wakeUps.close());
  const identity = { processId, publish: wakeUps.publish };
  const registry = new Registry(commands, keys, registryWakes(subscriptions), {
    ...identity,
    clock,
    random,
    logger,
    metrics,
    wake: (deviceId) => wakeUps.wakeLocally(deviceId, 'rpc'),
    directoryMax: options.directoryMax,
    changeWait: options.changeWait,
    secretBox: options.secretBox,
  });
  opened.push(() => registry.close());
  const feed = new RedisFeed(commands, subscriptions, registry.devices, {
    ...identity,
    keys,
    clock,
    logger,
    metrics,
    rereadInterval: options.rereadInterval,
  });
  opened.push(() => feed.close());
  const processes = new RedisProcesses(commands, subscriptions, { ...identity, keys, clock, logger });
  opened.push(() => processes.close());
  const telemetryLog = await RedisTelemetryLog.open({
    commands,
    client: clients.telemetry,
    keys,
    bounds: options,
    processId,
    clock,
    logger,
    metrics,
  });
  opened.push(() => telemetryLog.close());
  const materialiser = new RedisMaterialiser({
    commands,
    keys,
    connection,
    bounds: options,
    processId,
    log: telemetryLog,
    clock,
    logger,
    metrics,
  });
  telemetryLog.onAppended(() => materialiser.wake());
  await registry.start();
  let closed: Promise<void> | undefined;
  const state: State = {
    accounts: registry.accounts,
    devices: registry.devices,
    claims: registry.claims,
    attributes: new RedisAttributes(commands, keys, wakeUps, registry.births, {
      processId,
      eventLogMax: options.eventLogMax,
    }),
    events: new RedisEvents(commands, keys, wakeUps, registry.births),
    telemetryLog,
    telemetryView: new RedisTelemetryView(commands, keys, wakeUps.publish),
    materialiser,
    rpcs: new RedisRpcs(commands, keys, registry.births, wakeUps, {
      ...identity,
      maxPending: options.rpcMaxPending,
      maxFinished: options.rpcFinishedMax,
      cacheMax: options.rpcCacheMax,
      metrics,
    }),
    rateCounters: new RedisRateCounters(commands, keys),
    activity: new RedisActivity(commands, keys, registry.births, wakeUps.publish),
    feed,
    processes,
    failures: new RedisFailureCounters(commands, keys),
    firmware: registry.firmware,
    rollouts: new RedisRollouts(commands, keys),
    secret: (name) => registry.secret(name),
    sealSecrets: () => registry.sealSecrets(),
    ping: () => pingStore(commands, keys, telemetryLog.partitions, { clock, publish: wakeUps.publish }),
    onReset: (listener) => registry.onReset(listener),
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
  return { state };

  async function closeAll(): Promise<void> {
    unwatch();
    // Of a Redis that hangs nobody waits for two time-outs: commands that are cut off have failed.
    let isCut = () => {};
    const afterCut = new Promise<void>((resolve) => {
      isCut = resolve;
    });
    const cut = clock.setTimer(CLOSE_TIMEOUT, () => {
      for (const client of clients.all) client.disconnect();
      telemetryLog.giveUp();
      isCut();
    });
    processes.close();
    await Promise.all([registry.close(), telemetryLog.close(), materialiser.close()]);
    // ioredis may keep a command for longer than its connection.
    await Promise.race([commands.close(), afterCut]);
    cut.cancel();
    wakeUps.close();
    feed.close();
    await Promise.all([subscriptions.close(), ...[...clients.all].map(closeClient)]);
  }
}

/** The registry's one channel among the subscriptions of the devices. */
function registryWakes(subscriptions: Subscriptions): WakeSource {
  const channels = new Set<string>();
  return {
    onWake(channel, listener) {
      channels.add(channel);
      const subscription = subscriptions.subscribe(channel, listener);
      return () => {
        channels.delete(channel);
        subscription.leave();
      };
    },
    onReconnect: (listener) =>
      subscriptions.onReconnect((resumed) => {
        if ([...channels].some((channel) => resumed.has(channel))) listener();
      }),
  };
}
