import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Random } from '../platform/random';
import type { Rollout } from '../state/rollout-store';
import type { State } from '../state/state';
import { assignedId } from './assigned-package';
import type { DeviceFirmware } from './device-firmware';

/** How long a step may take until another process goes on in our place. */
const HOLD: Millis = 30_000;
/** When it is tried again after the store could not do it. */
const RETRY: Millis = 2_000;
/** Steps until another rollout has its turn. */
const TURN = 10;
/** A longer pause is one of the store's: whichever process is there then goes on. */
const LONG_PAUSE: Millis = 1_000;

export interface RolloutSettings {
  /** Devices that are looked at in one step, at the same time. `TANDEM_FIRMWARE_ROLLOUT_STEP` */
  readonly step: number;
  /** Between two steps. `TANDEM_FIRMWARE_ROLLOUT_PAUSE` */
  readonly pause: Millis;
}

/**
 * Tells the devices of a profile of the package that was assigned to it, step by step: one process at a time works at a
 * rollout, and another one goes on where it died.
 */
export class FirmwareRollouts {
  #open = 0;
  readonly #told: { add(n?: number): void };
  readonly #failed: { add(n?: number): void };

  constructor(
    private readonly stores: Pick<State, 'devices' | 'rollouts'>,
    private readonly devices: DeviceFirmware,
    private readonly settings: RolloutSettings,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    metrics.gauge('tandem_firmware_rollouts', () => this.#open);
    this.#told = metrics.counter('tandem_firmware_devices_told_total');
    this.#failed = metrics.counter('tandem_firmware_devices_failed_total');
  }

  /**
   * Works at one rollout for a while.
   * @param stopped whether to leave it there
   * @returns whether there was one
   * @throws TandemError STORE_UNAVAILABLE
   */
  async work(stopped: () => boolean = () => false): Promise<boolean> {
    const { rollouts } = this.stores;
    this.#open = await rollouts.count();
    if (this.#open === 0) return false;
    const rollout = await rollouts.take(this.random.uuid(), this.clock.now(), this.clock.now() + HOLD);
    if (!rollout) return false;
    try {
      await (rollout.target.kind === 'profile' ? this.#turn(rollout, stopped) : this.#single(rollout));
    } catch (error) {
      await rollouts.keep(rollout, this.clock.now() + RETRY).catch(() => false);
      throw error;
    }
    return true;
  }

  async #single(rollout: Rollout): Promise<void> {
    if (await this.#tell(rollout.target.id, rollout)) this.#told.add();
    await this.stores.rollouts.finish(rollout);
  }

  async #turn(begun: Rollout, stopped: () => boolean): Promise<void> {
    let rollout = begun;
    if (rollout.cursor === '') this.#say('begins', rollout);
    for (let steps = 1; ; steps++) {
      rollout = await this.#step(rollout);
      if (rollout.cursor === '') {
        await this.stores.rollouts.finish(rollout);
        this.#say('is finished', rollout);
        return;
      }
      const { pause } = this.settings;
      const apart = pause > LONG_PAUSE;
      const over = apart || steps >= TURN || stopped();
      const until = this.clock.now() + (apart ? pause : over ? 0 : HOLD);
      if (!(await this.stores.rollouts.keep(rollout, until)) || over) return;
      await this.#pause();
    }
  }

  /** @returns it as it is afterwards, with the empty cursor at the end */
  async #step(rollout: Rollout): Promise<Rollout> {
    const { target, cursor, devices } = rollout;
    const found = await this.stores.devices.devicesOfProfile(target.id, cursor, this.settings.step);
    const affected = found.devices.filter((device) => assignedId(device, target.type) === null);
    const told = await Promise.all(affected.map(({ id }) => this.#tell(id, rollout)));
    const count = told.filter(Boolean).length;
    this.#told.add(count);
    return { ...rollout, cursor: found.cursor, devices: devices + count };
  }

  async #tell(deviceId: Uuid, { target, ts }: Rollout): Promise<boolean> {
    try {
      return await this.devices.bringUpToDate(deviceId, target.type, ts);
    } catch (error) {
      const { code, message } = TandemError.from(error);
      if (code === 'STORE_UNAVAILABLE' || code === 'BACKLOG_FULL') throw error;
      // One device in which something is wrong must not hold up the others for ever.
      this.#failed.add();
      this.logger.error('a device could not be told of its firmware', { deviceId, error: message });
      return false;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(this.settings.pause, resolve));
  }

  #say(what: string, { target, devices }: Rollout): void {
    this.logger.info(`rollout ${what}`, { profileId: target.id, type: target.type, devices });
  }
}
