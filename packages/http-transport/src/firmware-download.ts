import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type Core,
  type DeviceSession,
  type Download,
  type DownloadRequest,
  type FileAnswer,
  fileAnswer,
  type Logger,
  type Millis,
  type PackageType,
  quietLogger,
  TandemError,
} from '@tandem/core';
import type { Exchange } from './requests/exchange';

/** When the store goes away, all downloads do at once. */
const LOG_INTERVAL: Millis = 10_000;
const BROKEN_OFF = 'a download was broken off';

/**
 * Endpoints 9 and 10 (contract 7.3): a package, or a part of it, as a stream that waits for its client. `Range` is about what
 * `size` and `chunk` have left, which is what the URL names.
 */
export class FirmwareDownload {
  readonly #quiet: Logger;

  constructor(private readonly core: Pick<Core, 'clock' | 'faults' | 'firmware' | 'logger' | 'settings'>) {
    this.#quiet = quietLogger(core.logger, core.clock, LOG_INTERVAL);
  }

  /** @throws TandemError as long as nothing of the answer has been sent */
  async serve(exchange: Exchange, session: DeviceSession, type: PackageType, asked: DownloadRequest): Promise<void> {
    const { downloads } = this.core.firmware;
    const { request } = exchange;
    exchange.waits();
    const download = await downloads.open(session, type, asked);
    const { ota, length: size } = download;
    const file = { size, etag: `"${ota.dataId}"`, name: ota.fileName ?? ota.title, contentType: ota.contentType };
    const headers = request.headers;
    // Only a GET has ranges (RFC 9110 section 14.2).
    const isHead = request.method === 'HEAD';
    const answer = fileAnswer(file, (name) => (isHead && name === 'range' ? undefined : textOf(headers[name])));
    if (isHead || answer.length === 0) {
      exchange.head(answer.status, answer.headers);
      return;
    }
    const free = downloads.take(session);
    try {
      await this.#stream(exchange, session, download, answer);
    } finally {
      free();
    }
  }

  /** The head goes out with the first piece, so that what fails before it is still told by its status. */
  async #stream(exchange: Exchange, session: DeviceSession, download: Download, answer: FileAnswer): Promise<void> {
    const { socket } = exchange.request;
    const pieces = this.core.firmware.downloads.read(download, answer.start, answer.length);
    const first = await pieces.next();
    if (exchange.answered || socket.destroyed) {
      await pieces.return(undefined);
      return;
    }
    const response = exchange.begin(answer.status, answer.headers);
    this.#limitIdleness(response);
    try {
      for (let next = first; !next.done; next = await pieces.next()) {
        if (socket.destroyed) return;
        if (!response.write(next.value) && !(await hasRoom(response, socket))) return;
      }
      response.end();
    } catch (error) {
      // Less has come than Content-Length says, and so the client knows.
      socket.destroy();
      this.#logBroken(session, error);
    } finally {
      await pieces.return(undefined);
    }
  }

  #logBroken({ deviceId }: DeviceSession, thrown: unknown): void {
    const error = TandemError.from(thrown);
    if (error.correlationId === undefined) this.#quiet.warn(BROKEN_OFF, { deviceId, error: error.message });
    else error.logFault(this.core.faults, BROKEN_OFF, { deviceId });
  }

  /** A connection that stands still is closed. Node counts from the last byte that the system has taken. */
  #limitIdleness(response: ServerResponse): void {
    response.setTimeout(this.core.settings.TANDEM_FIRMWARE_DOWNLOAD_IDLE, () => response.socket?.destroy());
    // Before Node sets the limit for the time until the next request.
    response.prependListener('finish', () => response.socket?.setTimeout(0));
  }
}

/**
 * Resolves when the client has taken enough for more to be written; false: it is gone. The socket tells of that and not the
 * response: one that waits behind another on the same connection never hears of its end.
 */
function hasRoom(response: ServerResponse, socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (there: boolean) => {
      response.removeListener('drain', drained);
      socket.removeListener('close', gone);
      resolve(there);
    };
    const drained = () => settle(true);
    const gone = () => settle(false);
    // A client may pipeline any number of requests; that is no leak to warn of.
    socket.setMaxListeners(0);
    response.on('drain', drained);
    socket.on('close', gone);
    if (socket.destroyed) gone();
  });
}

const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
