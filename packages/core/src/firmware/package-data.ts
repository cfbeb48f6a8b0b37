import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Conflict } from '../state/device-store';
import { type DataUpload, type FirmwareStore, MAX_FIRMWARE_READ } from '../state/firmware-store';
import { startChecksum } from './checksums/index';
import { withIdleLimit } from './idle-limit';
import type { ChecksumAlgorithm, OtaPackage } from './model';
import { UploadSlots } from './upload-slots';

export interface PackageLimits {
  /** `TANDEM_FIRMWARE_MAX_BYTES` */
  readonly maxBytes: number;
  /** `TANDEM_FIRMWARE_MAX_TENANT_BYTES` */
  readonly maxTenantBytes: number;
  /** `TANDEM_FIRMWARE_MAX_UPLOADS` */
  readonly maxUploads: number;
}

/** A file on its way to us. */
export interface IncomingFile {
  readonly fileName: string;
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Hex in any letter case; computed where there is none. */
  readonly value?: string;
}

const MAX_NAME = 255;
/** What a download holds at a time. */
const PIECE = 32_768;
/** A place is not kept for one who sends nothing. */
const IDLE_LIMIT: Millis = 30_000;

/** The bytes of packages, in and out as streams: never one as a whole in memory. */
export class PackageData {
  readonly #slots: UploadSlots;
  readonly #bytes: { add(n: number): void };
  readonly #completed: { add(): void };

  constructor(
    private readonly store: FirmwareStore,
    private readonly limits: PackageLimits,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
  ) {
    this.#slots = new UploadSlots(limits.maxUploads);
    metrics.gauge('tandem_firmware_uploads', () => this.#slots.taken);
    this.#completed = metrics.counter('tandem_firmware_uploads_completed_total');
    this.#bytes = metrics.counter('tandem_firmware_upload_bytes_total');
  }

  /** @throws TandemError BAD_REQUEST when the package has data, or is behind a URL: neither is replaced */
  requireNone({ dataId, url }: OtaPackage): void {
    if (dataId !== null) throw refused('Updating otaPackage data is prohibited!');
    if (url) throw refused("File can't be saved if URL present!");
  }

  /**
   * Makes the file the data of the package. Whatever goes wrong, nothing of it is left.
   * @throws TandemError BAD_REQUEST: a checksum that does not fit, data that is there, the limit of the tenant,
   * a sender who has fallen silent; PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS, NOT_FOUND, STORE_UNAVAILABLE
   */
  async upload(ota: OtaPackage, file: IncomingFile, checksum: ExpectedChecksum): Promise<OtaPackage> {
    this.requireNone(ota);
    if (file.fileName === '') throw refused('OtaPackage file name should be specified!');
    if (Math.max(file.fileName.length, file.contentType.length) > MAX_NAME) {
      throw refused(`File name and content type must not be longer than ${MAX_NAME} characters`);
    }
    const free = this.#slots.take(ota);
    try {
      return await this.#upload(ota, file, checksum);
    } finally {
      free();
    }
  }

  /**
   * The bytes from `offset` on, piece by piece.
   * @param ota with data
   * @param length to the end where left out; never beyond it
   * @throws TandemError NOT_FOUND when the data has gone
   */
  async *read(ota: OtaPackage, offset = 0, length = Number.MAX_SAFE_INTEGER): AsyncGenerator<Buffer> {
    const end = Math.min(ota.dataSize ?? 0, offset + length);
    for (let at = offset; at < end; ) {
      const piece = await this.slice(ota, at, Math.min(PIECE, end - at));
      yield piece;
      at += piece.length;
    }
  }

  /**
   * Exactly the bytes asked for, less only at the end of the data.
   * @param length at most MAX_FIRMWARE_READ
   * @throws TandemError NOT_FOUND when there is no data, or it has gone
   */
  async slice({ id, dataId, dataSize }: OtaPackage, offset: number, length: number): Promise<Buffer> {
    if (dataId === null) throw gone(id);
    const wanted = Math.max(0, Math.min(length, MAX_FIRMWARE_READ, (dataSize ?? 0) - offset));
    const bytes = wanted === 0 ? Buffer.alloc(0) : await this.store.read(dataId, offset, wanted);
    if (bytes?.length !== wanted) throw gone(id);
    return bytes;
  }

  async #upload(ota: OtaPackage, file: IncomingFile, { algorithm, value }: ExpectedChecksum): Promise<OtaPackage> {
    const data = await this.store.beginData();
    try {
      const running = startChecksum(algorithm);
      let dataSize = 0;
      for await (const chunk of withIdleLimit(file.bytes, IDLE_LIMIT, this.clock)) {
        dataSize += chunk.length;
        if (dataSize > this.limits.maxBytes) throw tooLarge(this.limits.maxBytes);
        running.update(chunk);
        await data.write(chunk);
        this.#bytes.add(chunk.length);
      }
      if (dataSize === 0) throw refused('OtaPackage data should be specified!');
      const checksum = running.digest();
      if (value && value.toLowerCase() !== checksum) throw refused('Wrong otaPackage file!');
      const { fileName, contentType } = file;
      const written = await data.commit({
        packageId: ota.id,
        file: { fileName, contentType, checksumAlgorithm: algorithm, checksum, dataSize },
        tenantMaxBytes: this.limits.maxTenantBytes,
      });
      if (!written.ok) throw this.#conflict(written.conflict, ota.id);
      this.#completed.add();
      return written.value;
    } catch (error) {
      await this.#abort(data, ota.id);
      throw error;
    }
  }

  async #abort(data: DataUpload, packageId: Uuid): Promise<void> {
    try {
      await data.abort();
    } catch (error) {
      const { message } = TandemError.from(error);
      this.logger.warn('what came of an upload is cleared away later', { packageId, error: message });
    }
  }

  #conflict(conflict: Conflict, id: Uuid): TandemError {
    if (conflict === 'IN_USE') return refused('Updating otaPackage data is prohibited!');
    if (conflict === 'ABSENT') return gone(id);
    return refused(`OTA packages total size exceeds the maximum of ${this.limits.maxTenantBytes} bytes`);
  }
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });

const gone = (id: Uuid) => new TandemError('NOT_FOUND', { message: `Ota package with id [${id}] is not found` });

const tooLarge = (limit: number) =>
  new TandemError('PAYLOAD_TOO_LARGE', { message: `Payload size exceeds the limit of ${limit} bytes` });
