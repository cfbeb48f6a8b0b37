import type { DeviceSession } from '../auth/device-session';
import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import type { MetricsRegistry } from '../platform/metrics';
import type { Random } from '../platform/random';
import type { State } from '../state/state';
import { type DownloadCut, partOf } from './download-cut';
import { DownloadSlots } from './download-slots';
import { type KnownPackage, KnownPackages } from './known-packages';
import type { PackageType } from './model';
import type { PackageData } from './package-data';

export interface DownloadLimits {
  /** `TANDEM_FIRMWARE_MAX_DOWNLOADS` */
  readonly maxDownloads: number;
  /** `TANDEM_FIRMWARE_CACHE_MAX` */
  readonly maxDevices: number;
}

/** What a device asks for (contract 7.3, 7.4). */
export interface DownloadRequest extends DownloadCut {
  /** Where given it has to be that of the package. */
  readonly title?: string;
  readonly version?: string;
}

/** The package a device has to get, or the part of it that it asked for. */
export interface Download extends KnownPackage {
  /** In the package. */
  readonly start: number;
  readonly length: number;
}

/** Packages on their way to devices (contract 7). */
export class FirmwareDownloads {
  readonly #known: KnownPackages;
  readonly #slots: DownloadSlots;
  readonly #bytes: { add(n: number): void };
  readonly #refused: { add(): void };

  constructor(
    stores: Pick<State, 'devices' | 'firmware'>,
    private readonly data: PackageData,
    private readonly limits: MessageLimits,
    settings: DownloadLimits,
    random: Random,
    metrics: MetricsRegistry,
  ) {
    this.#known = new KnownPackages(stores, settings.maxDevices, metrics);
    this.#slots = new DownloadSlots(settings.maxDownloads, random);
    metrics.gauge('tandem_firmware_downloads', () => this.#slots.taken);
    this.#refused = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_FIRMWARE_MAX_DOWNLOADS' });
    this.#bytes = metrics.counter('tandem_firmware_download_bytes_total');
  }

  /**
   * What a request gets. Where the package is known and nothing is limited there is no promise.
   * @param continues a later block of what was asked for before: it counts as no message of its own
   * @throws TandemError NO_PACKAGE, OTHER_PACKAGE, TOO_MANY_REQUESTS, STORE_UNAVAILABLE
   */
  open(
    session: DeviceSession,
    type: PackageType,
    asked: DownloadRequest,
    continues = false,
  ): Download | Promise<Download> {
    const limited = continues ? undefined : this.limits.take(session, 'message');
    const known = this.#known.cached(session.deviceId, type);
    if (known && !limited) return downloadOf(known, asked);
    return this.#open(session.deviceId, type, asked, limited);
  }

  /** A place among those who hold pieces in memory. @returns frees it. @throws TandemError TOO_MANY_REQUESTS */
  take({ deviceId }: DeviceSession): () => void {
    try {
      return this.#slots.take(deviceId);
    } catch (error) {
      this.#refused.add();
      throw error;
    }
  }

  /**
   * The bytes piece by piece, from `offset` of the download on.
   * @throws TandemError NO_PACKAGE when it was taken away and deleted meanwhile, STORE_UNAVAILABLE
   */
  async *read({ ota, start }: Download, offset: number, length: number): AsyncGenerator<Buffer> {
    try {
      for await (const piece of this.data.read(ota, start + offset, length)) {
        this.#bytes.add(piece.length);
        yield piece;
      }
    } catch (error) {
      throw orNoPackage(error);
    }
  }

  /** One read of the store. Within the download. @throws as `read` */
  async block({ ota, start }: Download, offset: number, length: number): Promise<Buffer> {
    try {
      const bytes = await this.data.slice(ota, start + offset, length);
      this.#bytes.add(bytes.length);
      return bytes;
    } catch (error) {
      throw orNoPackage(error);
    }
  }

  async #open(
    deviceId: Uuid,
    type: PackageType,
    asked: DownloadRequest,
    limited: Promise<void> | undefined,
  ): Promise<Download> {
    await limited;
    const known = this.#known.cached(deviceId, type) ?? (await this.#known.of(deviceId, type));
    if (!known) throw new TandemError('NO_PACKAGE');
    return downloadOf(known, asked);
  }
}

function downloadOf({ ota, tag }: KnownPackage, asked: DownloadRequest): Download {
  const { title, version } = asked;
  if ((title !== undefined && title !== ota.title) || (version !== undefined && version !== ota.version)) {
    throw new TandemError('OTHER_PACKAGE');
  }
  return { ota, tag, ...partOf(asked, ota.dataSize) };
}

const orNoPackage = (error: unknown): unknown =>
  error instanceof TandemError && error.code === 'NOT_FOUND' ? new TandemError('NO_PACKAGE', { cause: error }) : error;
