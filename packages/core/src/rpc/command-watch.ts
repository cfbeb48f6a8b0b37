import type { Uuid } from '../devices/model';
import type { Clock, Millis, Timer } from '../platform/clock';
import type { DeviceEvents } from '../state/device-events';
import type { Rpc, RpcStore } from '../state/rpc-store';

type Seen = (current: Rpc | undefined) => void;

interface Watcher {
  readonly rpcId: Uuid;
  readonly seen: Seen;
}

/** Up to so many commands are read one by one; more with one reading of all open ones of the device. */
const FEW = 8;
/** Rest after a reading for each of many commands: what is read of a device in a second does not grow with their number. */
const REST_EACH: Millis = 0.1;
/** When the store is asked again that could not answer. */
const RETRY: Millis = 1_000;
/** How long after its end a command still counts as open here. */
const LAPSED_SINCE: Millis = 2_000;

/**
 * Those who wait here for what becomes of commands. A wake-up does not say of which command it is, so all that wait at one
 * device share one listener and one reading at a time.
 */
export class CommandWatch {
  readonly #devices = new Map<Uuid, WatchedDevice>();

  constructor(
    private readonly rpcs: RpcStore,
    private readonly events: DeviceEvents,
    private readonly clock: Clock,
  ) {}

  /**
   * @param seen called soon, and after each change that may have been one of the command; undefined = it is gone. A store
   * that does not answer is asked again
   * @returns stops watching
   */
  watch({ id, deviceId }: Pick<Rpc, 'id' | 'deviceId'>, seen: Seen): () => void {
    const device = this.#devices.get(deviceId) ?? new WatchedDevice(deviceId, this.rpcs, this.events, this.clock);
    this.#devices.set(deviceId, device);
    const watcher: Watcher = { rpcId: id, seen };
    device.add(watcher);
    return () => {
      if (device.remove(watcher) && this.#devices.get(deviceId) === device) this.#devices.delete(deviceId);
    };
  }
}

/** idle -> reading -> resting -> idle; woken while it is not idle it reads once more. */
class WatchedDevice {
  readonly #watchers = new Set<Watcher>();
  readonly #unwatch: () => void;
  #state: 'idle' | 'reading' | 'resting' = 'idle';
  #woken = false;
  #rest: Timer | undefined;

  constructor(
    private readonly deviceId: Uuid,
    private readonly rpcs: RpcStore,
    events: DeviceEvents,
    private readonly clock: Clock,
  ) {
    this.#unwatch = events.watch(deviceId, (wake) => wake === 'rpc' && this.#wake());
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    this.#wake();
  }

  /** @returns whether it was the last one: then nothing is held any more */
  remove(watcher: Watcher): boolean {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return false;
    this.#unwatch();
    this.#rest?.cancel();
    return true;
  }

  #wake(): void {
    this.#woken = true;
    if (this.#state === 'idle') void this.#read();
  }

  async #read(): Promise<void> {
    this.#state = 'reading';
    this.#woken = false;
    const rest = await this.#tell().catch(() => {
      this.#woken = true;
      return RETRY;
    });
    if (this.#watchers.size === 0) return;
    this.#state = 'resting';
    if (rest === 0) this.#rested();
    else this.#rest = this.clock.setTimer(rest, () => this.#rested());
  }

  #rested(): void {
    this.#state = 'idle';
    if (this.#woken) void this.#read();
  }

  /** @returns how long to rest */
  async #tell(): Promise<Millis> {
    const watchers = [...this.#watchers];
    const many = watchers.length > FEW;
    const open = many ? await this.rpcs.open(this.deviceId, this.clock.now() - LAPSED_SINCE) : [];
    const known = new Map(open.map((rpc) => [rpc.id, rpc]));
    await Promise.all(
      watchers.map(async (watcher) => {
        const current = known.get(watcher.rpcId) ?? (await this.rpcs.get(watcher.rpcId));
        if (this.#watchers.has(watcher)) watcher.seen(current);
      }),
    );
    return many ? watchers.length * REST_EACH : 0;
  }
}
