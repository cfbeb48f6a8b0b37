import { WebSocket } from 'ws';

export interface Update {
  readonly subscriptionId: number;
  readonly errorCode: number;
  readonly errorMsg: string | null;
  readonly data: Readonly<Record<string, readonly (readonly [number, string])[]>> | null;
  readonly latestValues: Readonly<Record<string, number>>;
}

/** A client that reads what it is sent in order. */
export class WebSocketClient {
  readonly socket: WebSocket;
  /** With `code reason`. */
  readonly closed: Promise<string>;
  readonly #arrived: string[] = [];
  #take: (() => void) | undefined;

  private constructor(url: string, from: string | undefined, headers: Readonly<Record<string, string>>) {
    this.socket = new WebSocket(url, {
      headers: { ...headers, ...(from === undefined ? {} : { 'X-Forwarded-For': from }) },
    });
    this.socket.on('message', (data) => {
      this.#arrived.push(String(data));
      this.#take?.();
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve(`${code} ${reason}`.trim()));
    });
  }

  /**
   * @param deaf whether it reads nothing until its socket is resumed
   * @param from the address that a trusted proxy tells
   */
  static async open(
    port: number,
    target: string,
    deaf = false,
    from?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WebSocketClient> {
    const client = new WebSocketClient(`ws://127.0.0.1:${port}${target}`, from, headers);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', () => {
        if (deaf) client.socket.pause();
        resolve();
      });
      client.socket.once('error', reject);
    });
    return client;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  async text(): Promise<string> {
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#take = resolve;
      });
    }
    return this.#arrived.shift() ?? '';
  }

  async next(): Promise<Update> {
    return JSON.parse(await this.text()) as Update;
  }

  /** The next `data` that is not empty. */
  async data(): Promise<Update['data']> {
    for (;;) {
      const { data } = await this.next();
      if (data === null || Object.keys(data).length > 0) return data;
    }
  }

  /** What came and was not asked for. */
  get unread(): readonly string[] {
    return this.#arrived;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
