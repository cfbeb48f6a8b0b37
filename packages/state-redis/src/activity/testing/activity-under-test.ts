import { randomUUID } from 'node:crypto';
import { type ActivityStore, type Attribute, type State, silentLogger, trustedValue, type Uuid } from '@tandem/core';
import type { StoreUnderTest } from '@tandem/core/testing';
import { type Argument, Commands, closeClient, openClient, type Script } from '../../client';
import { Keys } from '../../keys';
import { PATIENCE } from '../../testing/patience';
import { type RedisServer, startRedis } from '../../testing/redis-server';
import { activityKeys } from '../activity-keys';
import { RedisActivity } from '../redis-activity';

/** A redis-server, and processes on it that know of connectivity only. */
export class ActivityRedis {
  readonly keys = new Keys('test');
  /** Devices that the registry has and whose slot is empty. */
  readonly unborn = new Set<Uuid>();
  readonly #open: Commands[] = [];
  readonly #client: ReturnType<typeof openClient>;

  private constructor(readonly server: RedisServer) {
    this.#client = openClient({ address: server.address, cluster: false, timeout: PATIENCE }, silentLogger);
  }

  static async start(): Promise<ActivityRedis> {
    return new ActivityRedis(await startRedis());
  }

  /** The store of one more process. */
  process(stammering = false): RedisActivity {
    const births = { ensure: (deviceId: Uuid) => this.#bear(deviceId) };
    return new RedisActivity(this.commands(stammering), this.keys, births, 'PUBLISH');
  }

  commands(stammering = false): Commands {
    const client = openClient({ address: this.server.address, cluster: false, timeout: PATIENCE }, silentLogger);
    const commands = new (stammering ? Stammering : Commands)(client, client, {
      waitReplicas: 0,
      timeout: PATIENCE,
      logger: silentLogger,
    });
    this.#open.push(commands);
    return commands;
  }

  /** Ends all processes. */
  async leave(): Promise<void> {
    for (const commands of this.#open.splice(0)) {
      await commands.close();
      await closeClient(commands.client);
    }
  }

  /** Nothing stored and nobody there. */
  async clear(): Promise<void> {
    await this.leave();
    this.unborn.clear();
    await this.#client.flushall();
  }

  async stop(): Promise<void> {
    await this.leave();
    await closeClient(this.#client);
    await this.server.stop();
  }

  async begin(deviceId: Uuid): Promise<void> {
    await this.#client.hset(this.keys.device(deviceId, 'log'), 'epoch', randomUUID());
  }

  /** As a deletion does it. */
  async end(deviceId: Uuid): Promise<void> {
    await this.server.cli('DEL', ...Object.values(activityKeys(this.keys, deviceId)));
  }

  async attributes(deviceId: Uuid): Promise<Attribute[]> {
    const lines = (await this.server.cli('HGETALL', activityKeys(this.keys, deviceId).attributes)).split('\n');
    const found: Attribute[] = [];
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const [ts = '', ...value] = (lines[i + 1] ?? '').split(' ');
      found.push({ key: lines[i] ?? '', lastUpdateTs: Number(ts), value: trustedValue(value.join(' ')) });
    }
    return found;
  }

  /** Devices in the indexes of the times to look. */
  async indexed(): Promise<Uuid[]> {
    const parts: Uuid[] = [];
    for (let tag = 0; tag < 16; tag++) {
      parts.push(...(await this.server.cli('ZRANGE', this.keys.activity(tag), '0', '-1')).split('\n').filter(Boolean));
    }
    return parts;
  }

  async #bear(deviceId: Uuid): Promise<boolean> {
    if (!this.unborn.delete(deviceId)) return false;
    await this.begin(deviceId);
    return true;
  }
}

/** Every answer gets lost once: a script runs twice for one call. */
class Stammering extends Commands {
  override async run<T>(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<T> {
    const first = await super.run<T>(script, keys, args);
    await super.run(script, keys, args);
    return first;
  }
}

/**
 * Enough of a state for the contract of `ActivityStore`: its calls go to two processes in turn.
 * @param redis empty, as it is left behind
 */
export async function makeTwoProcesses(redis: ActivityRedis, { stammering = false } = {}): Promise<StoreUnderTest> {
  const open = () => stateOf(redis, inTurn([redis.process(stammering), redis.process(stammering)]));
  return {
    state: open(),
    async reopen() {
      await redis.leave();
      return open();
    },
    destroy: () => redis.clear(),
  };
}

function stateOf(redis: ActivityRedis, activity: ActivityStore): State {
  const devices: Partial<State['devices']> = {
    createProfile: async (value) => ({ ok: true, value }),
    async createDevice(value) {
      await redis.begin(value.id);
      return { ok: true, value };
    },
    async deleteDevice(id) {
      await redis.end(id);
      return { ok: false, conflict: 'ABSENT' };
    },
  };
  const attributes: Partial<State['attributes']> = {
    async read(deviceId, _scope, keys) {
      const all = await redis.attributes(deviceId);
      return keys ? all.filter(({ key }) => keys.includes(key)) : all;
    },
    async save(deviceId, _scope, entries, ts) {
      const pairs = entries.flatMap(({ key, value }) => [key, `${ts} ${value}`]);
      await redis.server.cli('HSET', activityKeys(redis.keys, deviceId).attributes, ...pairs);
      return true;
    },
    async delete(deviceId, _scope, keys) {
      await redis.server.cli('HDEL', activityKeys(redis.keys, deviceId).attributes, ...keys);
      return keys;
    },
  };
  return { devices, attributes, activity } as State;
}

/** Each call goes to the next one. */
function inTurn(stores: readonly ActivityStore[]): ActivityStore {
  let turns = 0;
  return new Proxy({} as ActivityStore, {
    get: (_target, name) => {
      const store = stores[turns++ % stores.length] ?? {};
      return (Reflect.get(store, name) as (...given: unknown[]) => unknown).bind(store);
    },
  });
}
