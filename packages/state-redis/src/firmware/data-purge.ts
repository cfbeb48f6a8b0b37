import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Millis,
  TandemError,
  type Timer,
  type Uuid,
} from '@tandem/core';
import type { Commands } from '../client';
import type { Keys } from '../keys';
import { Commit } from '../registry/commit';
import { at, type RegistryReader } from '../registry/reader';
import type { RegistryWriter } from '../registry/writer';
import { Pieces } from './pieces';

/** Notes of the registry's table `firmware-data`: an upload is under way; nobody will ever refer to the data. */
export const OPEN = 'open';
export const DEAD = 'dead';

/** How often it is looked whether a process died over an upload or a deletion. */
const INTERVAL: Millis = 60_000;

export interface DataPurgeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
  readonly interval?: Millis;
}

/**
 * Clears away the bytes of deleted packages and of uploads that came to nothing. A note in the registry says of both that they
 * are there; it goes when they are gone, so that what a process leaves that dies is taken up by any other. Two of them at
 * the same data do no harm.
 */
export class DataPurge {
  readonly #swept: { add(): void };
  #timer: Timer | undefined;
  #resuming: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
    private readonly options: DataPurgeOptions,
  ) {
    this.#swept = options.metrics.counter('tandem_firmware_uploads_swept_total');
  }

  start(): void {
    this.#resuming = this.#resumeAndSchedule();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#resuming;
  }

  /** An upload comes to nothing. Never rejects: what cannot be cleared away now stays noted. */
  async abandon(dataId: Uuid): Promise<void> {
    await this.#attempt(dataId, async () => {
      if (await this.#kill(dataId)) await this.#clear(dataId);
    });
  }

  /** The data of a package that was deleted, with a note of it. Never rejects. */
  async removed(dataId: Uuid): Promise<void> {
    await this.#attempt(dataId, () => this.#clear(dataId));
  }

  /** Takes up what was left. Never rejects. */
  async resume(): Promise<void> {
    try {
      for (const [dataId, note] of await this.reader.all('firmware-data')) {
        if (this.#closed) return;
        if (note === DEAD) await this.removed(dataId);
        else await this.#attempt(dataId, () => this.#sweep(dataId));
      }
    } catch (error) {
      this.#complain('left data of packages cannot be looked for', error);
    }
  }

  /** An upload that is not open any more: its process died, or its sender fell silent. */
  async #sweep(dataId: Uuid): Promise<void> {
    if (await new Pieces(this.commands, this.keys, dataId).isOpen()) return;
    if (!(await this.#kill(dataId))) return;
    await this.#clear(dataId);
    this.#swept.add();
    this.options.logger.info('an upload of a package that was cut off is cleared away', { dataId });
  }

  /** @returns false where it has become the data of a package, or is gone */
  async #kill(dataId: Uuid): Promise<boolean> {
    const [note] = await this.reader.read(['firmware-data', at(dataId)]);
    if (note === undefined) return false;
    const commit = new Commit().unchanged('firmware-data', dataId, note).set('firmware-data', dataId, DEAD);
    return note === DEAD || (await this.writer.commit(commit)) === undefined;
  }

  async #clear(dataId: Uuid): Promise<void> {
    await new Pieces(this.commands, this.keys, dataId).clear();
    await this.writer.commit(new Commit().remove('firmware-data', dataId));
  }

  async #attempt(dataId: Uuid, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#complain('data of a package could not be cleared away yet', error, dataId);
    }
  }

  #complain(message: string, error: unknown, dataId?: Uuid): void {
    if (!this.#closed) this.options.logger.warn(message, { dataId, error: TandemError.from(error).message });
  }

  async #resumeAndSchedule(): Promise<void> {
    await this.resume();
    if (this.#closed) return;
    this.#timer = this.options.clock.setTimer(this.options.interval ?? INTERVAL, () => this.start());
  }
}
