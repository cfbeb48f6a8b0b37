import {
  type EpochMillis,
  HOLDABLE_RPC_STATES,
  isFinal,
  isStretch,
  MAX_FINAL_OPEN,
  type MetricsRegistry,
  type NewRpc,
  type Page,
  type Rpc,
  type RpcPatch,
  type RpcQuery,
  type RpcRow,
  type RpcStatus,
  type RpcStore,
  rpcPage,
  type Uuid,
} from '@tandem/core';
import { allowingOutOfMemory, type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { DeviceBirths } from '../registry/device-births';
import { FormerRpcs } from './former-rpcs';
import { KnownDevices } from './known-devices';
import { LeftRegistrations } from './left-registrations';
import { finishedRpcs, type ListedRpcs, lapsedRpcs } from './listed-rpcs';
import {
  baseOf,
  digit,
  needsNoMemory,
  patchArguments,
  RPC_FIELDS,
  type RpcFields,
  rowOf,
  rpcOf,
  statesArgument,
  statusArguments,
} from './rpc-fields';
import { rpcKeys } from './rpc-keys';
import { RpcRegistrations } from './rpc-registrations';

export interface RpcWakeUps {
  /** Resolves when changes that other processes make of the device from now on are heard, where anybody listens. */
  ready(deviceId: Uuid): Promise<void>;
  /**
   * Wakes the listeners of this process once a write is done whose reply tells of a change, and where it failed and nobody
   * knows; passes the reply on.
   */
  after<T>(deviceId: Uuid, wake: 'rpc', write: Promise<T>, changed: (reply: T) => boolean): Promise<T>;
}

export interface RedisRpcsOptions {
  /** Open RPCs of one device: `TANDEM_RPC_MAX_PENDING`. */
  readonly maxPending: number;
  /** Finished persistent RPCs of one device: `TANDEM_RPC_FINISHED_MAX`. */
  readonly maxFinished: number;
  /** Commands of which this process remembers the device: `TANDEM_REDIS_RPC_CACHE_MAX`. */
  readonly cacheMax: number;
  /** Names this process in wake-ups; no spaces. */
  readonly processId: string;
  /** `SPUBLISH` on a Cluster. */
  readonly publish: 'PUBLISH' | 'SPUBLISH';
  readonly metrics: MetricsRegistry;
}

const CREATE = loadScript('rpc-create');
const TRANSITION = loadScript('rpc-transition');
const TRANSITION_WITHOUT_MEMORY = allowingOutOfMemory(TRANSITION);
const HOLD = loadScript('rpc-hold');
const REMOVE = loadScript('rpc-remove');
const OPEN = loadScript('rpc-open');
const FIND = loadScript('rpc-find');
const LIST = loadScript('rpc-list');
const ROWS = loadScript('rpc-rows');

/** Request ids are int32 on the wire (contract 1.6). */
const REQUEST_IDS = 0x8000_0000;
/** Commands that one script looks at: Redis does nothing else meanwhile. */
const PIECE = 500;

type CreateReply = readonly ['created' | 'there', ...RpcFields] | readonly ['taken' | 'full' | 'absent'];
type TransitionReply = readonly ['changed', ...RpcFields] | readonly ['refused' | 'absent'];

/**
 * Commands in the slots of their devices, and registrations of all of them in a slot of their own (`RpcRegistrations`).
 * A script that runs twice for one call, since its answer got lost, knows the call by its name and replies the same.
 */
export class RedisRpcs implements RpcStore {
  readonly #registrations: RpcRegistrations;
  readonly #lapsed: ListedRpcs;
  readonly #finished: ListedRpcs;
  readonly #displaced: { add(): void };
  readonly #left: LeftRegistrations;
  readonly #former: FormerRpcs;
  readonly #devices: KnownDevices;
  #calls = 0;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly births: Pick<DeviceBirths, 'ensure'>,
    private readonly wakeUps: RpcWakeUps,
    private readonly options: RedisRpcsOptions,
  ) {
    this.#registrations = new RpcRegistrations(commands, keys);
    const read = (deviceId: Uuid, id: Uuid) => this.#read(deviceId, id);
    this.#lapsed = lapsedRpcs(this.#registrations, read);
    this.#finished = finishedRpcs(this.#registrations, read);
    this.#left = new LeftRegistrations(this.#registrations, (deviceId, id) => this.#isThere(deviceId, id));
    this.#former = new FormerRpcs(commands, keys, this.#registrations);
    this.#devices = new KnownDevices(options.cacheMax);
    options.metrics.gauge('tandem_redis_rpc_devices_cached', () => this.#devices.size);
    this.#displaced = options.metrics.counter('tandem_rpcs_displaced_total');
  }

  async create(request: NewRpc): Promise<Rpc | undefined> {
    const { id, deviceId, expirationTime } = request;
    const registration = { deviceId, call: this.#nextCall() };
    const registered = await this.#register(request, registration.call);
    if (registered === 'taken') return undefined;
    const [outcome, ...fields] = await this.#createOrBear(request, registration.call);
    if (outcome === 'taken') return undefined;
    if (outcome === 'full' || outcome === 'absent') {
      // What another call registered may have its command in a moment: then it is left to `clear`.
      if (registered === 'ours') await this.#registrations.unregister(id, registration.call);
      return undefined;
    }
    if (outcome === 'created' && registered === 'of this device') {
      await this.#registrations.register(id, registration, expirationTime, 'always');
    }
    this.#devices.note(id, deviceId);
    return rpcOf(fields);
  }

  get(id: Uuid): Promise<Rpc | undefined> {
    return this.#at(id, async (deviceId) => {
      await this.wakeUps.ready(deviceId);
      return this.#read(deviceId, id);
    });
  }

  async findByRequestId(deviceId: Uuid, requestId: number): Promise<Rpc | undefined> {
    if (!Number.isInteger(requestId) || requestId < 0 || requestId >= REQUEST_IDS) return undefined;
    const { all, hashes } = rpcKeys(this.keys, deviceId);
    const fields = await this.commands.run<RpcFields | null>(FIND, [all], [hashes, requestId]);
    return this.#noted(fields ?? []);
  }

  async nextRequestId(deviceId: Uuid): Promise<number> {
    await this.wakeUps.ready(deviceId);
    const { log } = rpcKeys(this.keys, deviceId);
    return Number((await this.commands.during(() => this.commands.client.hget(log, 'rpc-counter'))) ?? 0);
  }

  async open(deviceId: Uuid, now: EpochMillis): Promise<Rpc[]> {
    await this.wakeUps.ready(deviceId);
    const { open, pending, all, hashes } = rpcKeys(this.keys, deviceId);
    const most = this.options.maxPending + MAX_FINAL_OPEN;
    const reply = await this.commands.run<RpcFields[]>(OPEN, [open, pending, all], [hashes, now, most]);
    return reply.flatMap((fields) => this.#noted(fields) ?? []).sort((a, b) => a.requestId - b.requestId);
  }

  async transition(id: Uuid, from: readonly RpcStatus[], patch: RpcPatch): Promise<Rpc | undefined> {
    const call = this.#nextCall();
    const reply = await this.#at(id, (deviceId) => this.#change(deviceId, id, call, from, patch));
    if (reply?.[0] !== 'changed') return undefined;
    const changed = rpcOf(reply.slice(1));
    if (!changed) return undefined;
    if (changed.persistent && isFinal(changed))
      await this.#finish(changed, patch.at, reply.slice(1 + RPC_FIELDS.length));
    return changed;
  }

  async hold(id: Uuid, now: EpochMillis, until: EpochMillis): Promise<boolean> {
    const args = [this.#nextCall(), statesArgument(HOLDABLE_RPC_STATES), now, until];
    const outcome = await this.#at(id, async (deviceId) => {
      const reply = await this.commands.write<string>(HOLD, [rpcKeys(this.keys, deviceId).hash(id)], args);
      return reply === 'absent' ? undefined : reply;
    });
    return outcome === 'held';
  }

  async list(deviceId: Uuid, query: RpcQuery): Promise<Page<Rpc>> {
    await this.#former.listed(deviceId);
    if (!isStretch(query)) {
      const { data, totalElements } = rpcPage(await this.#rows(deviceId, query), query);
      const found = await Promise.all(data.map(({ id }) => this.#read(deviceId, id)));
      return { data: found.filter((rpc) => rpc !== undefined), totalElements };
    }
    const { page, pageSize, sortOrder = 'DESC' } = query;
    return this.#stretch(deviceId, sortOrder, page * pageSize, pageSize);
  }

  async remove(id: Uuid): Promise<boolean> {
    const call = this.#nextCall();
    const registeredBy = await this.#at(id, (deviceId) => this.#removeAt(deviceId, id, call));
    if (registeredBy === undefined) return false;
    this.#devices.forget(id);
    await this.#registrations.unregister(id, registeredBy);
    return true;
  }

  async expired(before: EpochMillis, limit: number): Promise<Rpc[]> {
    await this.#left.clear(before);
    return this.#lapsed.find(before, limit);
  }

  async finished(before: EpochMillis, limit: number): Promise<Uuid[]> {
    return (await this.#finished.find(before, limit)).map(({ id }) => id);
  }

  /** Out of the persistent commands of a device, by creation; piece by piece, so that Redis answers others in between. */
  async #stretch(deviceId: Uuid, order: 'ASC' | 'DESC', first: number, count: number): Promise<Page<Rpc>> {
    const { kept, hashes } = rpcKeys(this.keys, deviceId);
    const data: Rpc[] = [];
    for (let looked = 0; ; looked += PIECE) {
      const most = Math.min(count - looked, PIECE);
      const args = [hashes, order, first + looked, most];
      const [totalElements, piece] = await this.commands.run<[number, RpcFields[]]>(LIST, [kept], args);
      data.push(...piece.flatMap((fields) => this.#noted(fields) ?? []));
      if (piece.length < PIECE || looked + PIECE >= count) return { data, totalElements };
    }
  }

  /** What the persistent commands of a device are found and sorted by, by creation, oldest first. */
  async #rows(deviceId: Uuid, { sortProperty }: RpcQuery): Promise<RpcRow[]> {
    const { kept, hashes } = rpcKeys(this.keys, deviceId);
    const fields = ['status', 'expires', 'method', ...(sortProperty === 'response' ? ['response'] : [])];
    const rows: RpcRow[] = [];
    for (;;) {
      const piece = await this.commands.run<RpcFields[]>(ROWS, [kept], [hashes, rows.length, PIECE, ...fields]);
      rows.push(...piece.map(rowOf));
      if (piece.length < PIECE) return rows;
    }
  }

  /** What comes of an end besides the end itself. Should it fail, `expired` or the next end of the device does it. */
  async #finish({ id, createdTime }: Rpc, at = createdTime, displaced: readonly (string | null)[]): Promise<void> {
    const finished = this.#registrations.finish(id, at);
    const removed = displaced.map(async (other) => {
      if (await this.remove(other ?? '')) this.#displaced.add();
    });
    await Promise.allSettled([finished, ...removed]);
  }

  /** The id for this call, or for all that it takes: 'of this device' where an earlier call registered the same. */
  async #register(request: NewRpc, call: string): Promise<'ours' | 'of this device' | 'taken'> {
    const { id, deviceId, expirationTime } = request;
    const registration = { deviceId, call };
    const there = await this.#registrations.register(id, registration, expirationTime, 'new');
    if (!there) return 'ours';
    if (there.deviceId === deviceId) return 'of this device';
    if (await this.#read(there.deviceId, id)) return 'taken';
    if (!(await this.#registrations.clear(id, there))) return 'taken';
    return (await this.#registrations.register(id, registration, expirationTime, 'new')) ? 'taken' : 'ours';
  }

  async #createOrBear(request: NewRpc, call: string): Promise<CreateReply> {
    const reply = await this.#create(request, call);
    if (reply[0] !== 'absent' || !(await this.births.ensure(request.deviceId))) return reply;
    return this.#create(request, call);
  }

  #create(request: NewRpc, call: string): Promise<CreateReply> {
    const { log, hash, all, open, pending, channel, kept } = rpcKeys(this.keys, request.deviceId);
    const write = this.commands.write<CreateReply>(
      CREATE,
      [log, hash(request.id), all, open, pending, channel, kept],
      [
        request.id,
        baseOf(request),
        request.createdTime,
        request.expirationTime,
        digit(request.oneway),
        digit(request.persistent),
        this.options.maxPending,
        call,
        ...this.#wakeArguments(),
        request.method,
      ],
    );
    // Also for one that was there: the answer of the call that made it may be lost.
    const changed = ([outcome]: CreateReply) => outcome === 'created' || outcome === 'there';
    return this.wakeUps.after(request.deviceId, 'rpc', write, changed);
  }

  async #change(
    deviceId: Uuid,
    id: Uuid,
    call: string,
    from: readonly RpcStatus[],
    patch: RpcPatch,
  ): Promise<TransitionReply | undefined> {
    const { hash, open, pending, channel, finished, kept } = rpcKeys(this.keys, deviceId);
    const { removesResponse, written } = patchArguments(patch);
    const write = this.commands.write<TransitionReply>(
      needsNoMemory(patch) ? TRANSITION_WITHOUT_MEMORY : TRANSITION,
      [hash(id), open, pending, channel, finished, kept],
      [
        id,
        call,
        statesArgument(from),
        ...statusArguments(patch.status),
        patch.openUntil ?? '+inf',
        digit(removesResponse),
        ...this.#wakeArguments(),
        this.options.maxFinished,
        ...written,
      ],
    );
    const reply = await this.wakeUps.after(deviceId, 'rpc', write, ([outcome]) => outcome === 'changed');
    return reply[0] === 'absent' ? undefined : reply;
  }

  /** @returns the call that registered it; undefined when it was not there */
  async #removeAt(deviceId: Uuid, id: Uuid, call: string): Promise<string | undefined> {
    const { log, hash, all, open, pending, channel, kept, finished } = rpcKeys(this.keys, deviceId);
    const keys = [log, hash(id), all, open, pending, channel, kept, finished];
    const write = this.commands.write<string | null>(REMOVE, keys, [id, call, ...this.#wakeArguments()]);
    return (await this.wakeUps.after(deviceId, 'rpc', write, (reply) => reply !== null)) ?? undefined;
  }

  /**
   * Takes a step where the command is; a device that is remembered and does not have it is looked up once more.
   * @param step undefined = the device does not have it
   */
  async #at<T>(id: Uuid, step: (deviceId: Uuid) => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#devices.get(id);
    if (known !== undefined) {
      const done = await step(known);
      if (done !== undefined) return done;
      this.#devices.forget(id);
    }
    const registration = await this.#registrations.find(id);
    if (!registration) return undefined;
    const done = await step(registration.deviceId);
    if (done === undefined) await this.#registrations.clear(id, registration);
    else this.#devices.note(id, registration.deviceId);
    return done;
  }

  async #read(deviceId: Uuid, id: Uuid): Promise<Rpc | undefined> {
    const key = rpcKeys(this.keys, deviceId).hash(id);
    return rpcOf(await this.commands.during(() => this.commands.client.hmget(key, ...RPC_FIELDS)));
  }

  async #isThere(deviceId: Uuid, id: Uuid): Promise<boolean> {
    const key = rpcKeys(this.keys, deviceId).hash(id);
    return (await this.commands.during(() => this.commands.client.hexists(key, 'base'))) === 1;
  }

  #noted(fields: RpcFields): Rpc | undefined {
    const rpc = rpcOf(fields);
    if (rpc) this.#devices.note(rpc.id, rpc.deviceId);
    return rpc;
  }

  #wakeArguments(): [command: string, message: string] {
    return [this.options.publish, `${this.options.processId} rpc`];
  }

  /** A name that no other call has, of whatever process. */
  #nextCall(): string {
    return `${this.options.processId}.${(this.#calls++).toString(36)}`;
  }
}
