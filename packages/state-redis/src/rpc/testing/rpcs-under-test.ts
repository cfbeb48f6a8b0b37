import { randomUUID } from 'node:crypto';
import {
  type Device,
  MetricsRegistry,
  type RpcStore,
  type State,
  silentLogger,
  TandemError,
  type Uuid,
  type Wake,
} from '@tandem/core';
import { aDevice, aProfile, type StoreLimits, type StoreUnderTest } from '@tandem/core/testing';
import { Commands, closeClient, openClient } from '../../client';
import { Keys } from '../../keys';
import { PATIENCE } from '../../testing/patience';
import { type RedisServer, startRedis } from '../../testing/redis-server';
import { RedisRpcs } from '../redis-rpcs';
import { rpcKeys } from '../rpc-keys';

type Listener = (wake: Wake) => void;

/** Listeners of one process, and who has been waited for. */
class HeardWakeUps {
  readonly awaited: Uuid[] = [];
  readonly #listeners = new Map<Uuid, Set<Listener>>();

  watch(deviceId: Uuid, listener: Listener): () => void {
    const listeners = this.#listeners.get(deviceId) ?? new Set();
    this.#listeners.set(deviceId, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async ready(deviceId: Uuid): Promise<void> {
    this.awaited.push(deviceId);
  }

  async after<T>(deviceId: Uuid, wake: 'rpc', write: Promise<T>, changed: (reply: T) => boolean): Promise<T> {
    let heard = true;
    try {
      const reply = await write;
      heard = changed(reply);
      return reply;
    } finally {
      if (heard) for (const listener of this.#listeners.get(deviceId) ?? []) listener(wake);
    }
  }
}

export interface ProcessOptions {
  readonly maxPending?: number;
  readonly maxFinished?: number;
  readonly cacheMax?: number;
  readonly timeout?: number;
  /** Every write is carried out twice, as when a connection is lost before its answer came. */
  readonly twice?: boolean;
}

class TwiceCommands extends Commands {
  override async write<T>(...given: Parameters<Commands['write']>): Promise<T> {
    await super.write(...given);
    return super.write<T>(...given);
  }
}

/** The RPC store of one process. */
export class RpcProcess {
  readonly wakeUps: HeardWakeUps;
  readonly commands: Commands;
  readonly rpcs: RedisRpcs;
  /** Devices that the registry has and whose slot is empty. */
  readonly unborn = new Set<Uuid>();

  constructor(
    private readonly redis: RpcRedis,
    readonly name: string,
    {
      maxPending = 1_000,
      maxFinished = 1_000,
      cacheMax = 1_000,
      timeout = PATIENCE,
      twice = false,
    }: ProcessOptions = {},
    wakeUps = new HeardWakeUps(),
  ) {
    this.wakeUps = wakeUps;
    const settings = { address: redis.server.address, cluster: false, timeout };
    const client = openClient(settings, silentLogger);
    this.commands = new (twice ? TwiceCommands : Commands)(client, client, {
      waitReplicas: 0,
      timeout,
      logger: silentLogger,
    });
    const births = { ensure: (deviceId: Uuid) => this.#bear(deviceId) };
    this.rpcs = new RedisRpcs(this.commands, redis.keys, births, this.wakeUps, {
      maxPending,
      maxFinished,
      cacheMax,
      processId: name,
      publish: 'PUBLISH',
      metrics: new MetricsRegistry(),
    });
  }

  async close(): Promise<void> {
    await this.commands.close();
    await closeClient(this.commands.client);
  }

  async #bear(deviceId: Uuid): Promise<boolean> {
    if (!this.unborn.delete(deviceId)) return false;
    await this.redis.begin(deviceId);
    return true;
  }
}

/** A redis-server, processes on it, and devices that have no more than the log hash. */
export class RpcRedis {
  readonly keys = new Keys('test');
  readonly #processes: RpcProcess[] = [];

  private constructor(readonly server: RedisServer) {}

  static async start(): Promise<RpcRedis> {
    return new RpcRedis(await startRedis());
  }

  process(options?: ProcessOptions, wakeUps?: HeardWakeUps): RpcProcess {
    const process = new RpcProcess(this, `process${this.#processes.length}`, options, wakeUps);
    this.#processes.push(process);
    return process;
  }

  /** Nothing stored and nobody there. */
  async clear(): Promise<void> {
    await this.leave();
    await this.server.cli('FLUSHALL');
  }

  async stop(): Promise<void> {
    await this.leave();
    await this.server.stop();
  }

  /** Ends all processes. */
  async leave(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.close()));
  }

  async device(): Promise<Device> {
    const device = aDevice(aProfile());
    await this.begin(device.id);
    return device;
  }

  async begin(deviceId: Uuid): Promise<void> {
    await this.server.cli('HSET', rpcKeys(this.keys, deviceId).log, 'epoch', randomUUID());
  }

  /** As a deletion does it; its process dies before it tells the registrations. */
  async end(deviceId: Uuid): Promise<void> {
    const { log, all, open, pending, kept, finished, hash } = rpcKeys(this.keys, deviceId);
    const ids = (await this.server.cli('ZRANGE', all, '0', '-1')).split('\n').filter(Boolean);
    await this.server.cli('DEL', log, all, open, pending, kept, finished, ...ids.map(hash));
  }

  /** Names of all keys, sorted. */
  async names(): Promise<string[]> {
    return (await this.server.cli('KEYS', '*')).split('\n').filter(Boolean).sort();
  }

  /** Makes a registration look as old as this. */
  async age(id: Uuid, millis: number): Promise<void> {
    const devices = this.keys.rpcs('devices');
    const [device, call, since] = (await this.server.cli('HGET', devices, id)).split(' ');
    await this.server.cli('HSET', devices, id, `${device} ${call} ${Number(since) - millis}`);
  }
}

/**
 * Enough of a state for the contract of `RpcStore`: its calls go to two processes in turn.
 * @param redis empty, as it is left behind
 */
export async function makeTwoProcesses(
  redis: RpcRedis,
  { rpcMaxPending, rpcFinishedMax }: Partial<StoreLimits> = {},
  options: ProcessOptions = {},
): Promise<StoreUnderTest> {
  const open = (): State => {
    const wakeUps = new HeardWakeUps();
    const processes = [1, 2].map(() =>
      redis.process({ ...options, maxPending: rpcMaxPending, maxFinished: rpcFinishedMax, cacheMax: 2 }, wakeUps),
    );
    return stateOf(redis, wakeUps, inTurn(processes.map(({ rpcs }) => rpcs)));
  };
  return {
    state: open(),
    async reopen() {
      await redis.leave();
      return open();
    },
    destroy: () => redis.clear(),
  };
}

function stateOf(redis: RpcRedis, wakeUps: HeardWakeUps, rpcs: RpcStore): State {
  const only = <T extends object>(port: Partial<T>): T =>
    new Proxy(port as T, {
      get(target, name) {
        // Asked of whatever is awaited.
        if (name !== 'then' && !(name in target))
          throw new TandemError('INTERNAL', { message: `${String(name)} is not part of this` });
        return Reflect.get(target, name);
      },
    });
  return only<State>({
    rpcs,
    events: only<State['events']>({ watch: (...watched) => wakeUps.watch(...watched) }),
    devices: only<State['devices']>({
      createProfile: async (value) => ({ ok: true, value }),
      async createDevice(value) {
        await redis.begin(value.id);
        return { ok: true, value };
      },
      async deleteDevice(id) {
        await redis.end(id);
        return { ok: false, conflict: 'ABSENT' };
      },
    }),
  });
}

/** Each call goes to the next one; those that are under way together go to the same one, in their order. */
function inTurn(stores: readonly RpcStore[]): RpcStore {
  let turns = 0;
  let underWay = 0;
  return new Proxy({} as RpcStore, {
    get:
      (_target, name) =>
      async (...given: unknown[]) => {
        if (underWay++ === 0) turns++;
        const store = stores[turns % stores.length] ?? {};
        try {
          return await Reflect.apply(Reflect.get(store, name), store, given);
        } finally {
          underWay--;
        }
      },
  });
}
