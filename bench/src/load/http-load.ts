import { connect, type Socket } from 'node:net';
import { DRAIN_LIMIT_MS, type Load, type MonotonicMicros } from './load';
import type { LoadRecorder } from './load-recorder';
import { ResponseScanner } from './response-scanner';

const READ_BUFFER_BYTES = 16 * 1024;

export interface HttpLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** The bytes of the next request of a connection, of which the first is 0. */
  readonly requestOf: (connection: number) => Buffer;
  readonly recorder: LoadRecorder;
  readonly now: MonotonicMicros;
}

/** Sends requests over keep-alive connections, one outstanding on each. */
export class HttpLoad implements Load {
  private connections: HttpConnection[] = [];
  private running = false;

  constructor(private readonly options: HttpLoadOptions) {}

  async start(): Promise<void> {
    this.running = true;
    this.connections = Array.from(
      { length: this.options.connections },
      (_, i) => new HttpConnection(this.options, i, () => this.running),
    );
    await Promise.all(this.connections.map((connection) => connection.opened));
    for (const connection of this.connections) {
      connection.send();
    }
  }

  async stop(): Promise<void> {
    this.running = false;
    await Promise.all(this.connections.map((connection) => connection.finish()));
    this.connections = [];
  }
}

class HttpConnection {
  /** Rejects when the server does not take the connection. */
  readonly opened: Promise<void>;
  private readonly socket: Socket;
  private readonly closed: Promise<void>;
  private outstanding = false;
  private finishing = false;
  private over = false;
  private sentAt = 0;

  constructor(
    private readonly options: HttpLoadOptions,
    private readonly number: number,
    private readonly wanted: () => boolean,
  ) {
    const scanner = new ResponseScanner((status) => this.answered(status));
    // One read buffer per connection: a 'data' listener would allocate one per response.
    const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
    const callback = (bytes: number): boolean => {
      try {
        scanner.push(buffer, 0, bytes);
      } catch (error) {
        this.breakOff(String(error));
      }
      return true;
    };
    this.socket = connect({ host: options.host, port: options.port, noDelay: true, onread: { buffer, callback } });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.on('error', reject);
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('close', () => this.breakOff('connection closed by the server'));
  }

  send(): void {
    this.outstanding = true;
    this.sentAt = this.options.now();
    this.socket.write(this.options.requestOf(this.number));
  }

  finish(): Promise<void> {
    this.finishing = true;
    if (!this.outstanding) {
      this.close();
      return this.closed;
    }
    const giveUp = setTimeout(() => this.breakOff('no answer'), DRAIN_LIMIT_MS);
    return this.closed.finally(() => clearTimeout(giveUp));
  }

  private answered(status: number): void {
    this.outstanding = false;
    if (status >= 200 && status < 300) {
      this.options.recorder.success(this.options.now() - this.sentAt);
    } else {
      this.options.recorder.failure(`status ${status}`);
    }
    if (this.wanted()) {
      this.send();
    } else if (this.finishing) {
      this.close();
    }
  }

  private breakOff(kind: string): void {
    if (!this.over) {
      this.options.recorder.failure(kind);
    }
    this.close();
  }

  private close(): void {
    this.over = true;
    this.outstanding = false;
    this.socket.destroy();
  }
}
