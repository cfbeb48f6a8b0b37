import { accessToken, refreshSession } from './session.js';

/** A subscription of the WebSocket API: docs/guides/watch-devices.md. */
export interface Subscription {
  readonly type: 'TIMESERIES' | 'ATTRIBUTES';
  readonly entityId: string;
  readonly scope?: 'LATEST_TELEMETRY' | 'CLIENT_SCOPE' | 'SHARED_SCOPE' | 'SERVER_SCOPE';
  readonly keys?: string;
}

/** A gateway that is handed out more than a client has read closes the connection: what may be megabytes comes one by one. */
const mayBeLong = ({ keys, type }: Subscription): boolean => keys === undefined || type === 'TIMESERIES' || keys === '';
const LONGEST_TURN = 10_000;

/** Per key its values, each with its time: `[[1700000000000, "42.0"]]`. */
export type LiveData = Readonly<Record<string, ReadonlyArray<readonly [number, string]>>>;

export interface Listener {
  data(data: LiveData): void;
  refused?(words: string): void;
}

export type LiveState = 'idle' | 'connecting' | 'open' | 'waiting';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 20_000;
/** Codes with which the gateway ends a session whose token is no longer good. */
const TOKEN_CODES = [1007, 1008, 1011];

/** One WebSocket for the whole page. It connects with the first subscription, and again and again until the session ends. */
export class Live {
  #socket: WebSocket | undefined;
  #state: LiveState = 'idle';
  #pause = FIRST_PAUSE;
  #timer: number | undefined;
  #commands = 0;
  #queue: number[] = [];
  #turn: number | undefined;
  #turnTimer: number | undefined;
  readonly #open = new Map<number, { readonly subscription: Subscription; readonly listener: Listener }>();

  /** @param changed is told the state, and when it is `waiting` for how long */
  constructor(private readonly changed: (state: LiveState, pause: number) => void) {
    addEventListener('online', () => this.connectNow());
    addEventListener('offline', () => this.#socket?.close());
  }

  get state(): LiveState {
    return this.#state;
  }

  /** First comes what there is, then each update; after a loss of the connection what there is again. */
  subscribe(subscription: Subscription, listener: Listener, signal: AbortSignal): void {
    if (signal.aborted) return;
    const id = ++this.#commands;
    this.#open.set(id, { subscription, listener });
    signal.addEventListener('abort', () => this.#unsubscribe(id), { once: true });
    if (this.#state === 'open') {
      if (mayBeLong(subscription)) this.#line(id);
      else this.#send([command(id, subscription)]);
    } else if (this.#state === 'idle') this.#connect();
  }

  /** For views that say whether they are live without a subscription. */
  open(): void {
    if (this.#state === 'idle') this.#connect();
  }

  /** Does not wait for the pause to be over. */
  connectNow(): void {
    if (this.#state === 'waiting') this.#connect();
  }

  /** The session is over. */
  stop(): void {
    this.#open.clear();
    clearTimeout(this.#timer);
    this.#enter('idle');
    this.#socket?.close();
    this.#socket = undefined;
  }

  #unsubscribe(id: number): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    if (id === this.#turn) this.#next();
    if (this.#state === 'open') this.#send([{ ...command(id, open.subscription), unsubscribe: true }]);
  }

  #connect(): void {
    const token = accessToken();
    if (token === undefined) return;
    clearTimeout(this.#timer);
    this.#enter('connecting');
    const url = new URL('/api/ws', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      const open = [...this.#open];
      const short = open.filter(([, { subscription }]) => !mayBeLong(subscription));
      const cmds = short.map(([id, { subscription }]) => command(id, subscription));
      socket.send(JSON.stringify({ authCmd: { cmdId: 0, token }, cmds }));
      this.#enter('open');
      this.#queue = open.filter(([, { subscription }]) => mayBeLong(subscription)).map(([id]) => id);
      this.#next();
    });
    socket.addEventListener('message', ({ data }) => {
      // Only who is let in is told anything.
      this.#pause = FIRST_PAUSE;
      this.#receive(JSON.parse(String(data)));
    });
    socket.addEventListener('close', ({ code }) => {
      if (this.#socket === socket) this.#lost(code, token);
    });
  }

  #lost(code: number, token: string): void {
    this.#socket = undefined;
    const wasGood = this.#pause === FIRST_PAUSE;
    const pause = this.#pause * (0.75 + Math.random() / 2);
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2);
    this.#enter('waiting', pause);
    const again = () => {
      this.#timer = setTimeout(() => this.#connect(), pause);
    };
    if (!TOKEN_CODES.includes(code)) {
      again();
      return;
    }
    refreshSession(token)
      .catch(() => {})
      .then(() => {
        if (this.#state !== 'waiting') return;
        // The token was renewed in time: nothing else is wrong.
        if (accessToken() !== token && wasGood) this.#connect();
        else again();
      });
  }

  #line(id: number): void {
    this.#queue.push(id);
    if (this.#turn === undefined) this.#next();
  }

  /** The next of those that may be long, when the one before is there. */
  #next(): void {
    clearTimeout(this.#turnTimer);
    this.#turn = undefined;
    while (this.#queue.length > 0) {
      const id = this.#queue.shift() ?? 0;
      const open = this.#open.get(id);
      if (!open || this.#state !== 'open') continue;
      this.#turn = id;
      this.#turnTimer = setTimeout(() => this.#next(), LONGEST_TURN);
      this.#send([command(id, open.subscription)]);
      return;
    }
  }

  #receive(update: { subscriptionId?: number; errorCode?: number; errorMsg?: string | null; data?: LiveData }): void {
    const open = this.#open.get(update.subscriptionId ?? 0);
    if (update.subscriptionId === this.#turn) this.#next();
    if (!open) return;
    if (update.errorCode) {
      this.#open.delete(update.subscriptionId ?? 0);
      open.listener.refused?.(update.errorMsg ?? `error ${update.errorCode}`);
    } else open.listener.data(update.data ?? {});
  }

  #send(cmds: object[]): void {
    // A socket that closes says so in a moment; what is subscribed to goes out with the next one.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ cmds }));
  }

  #enter(state: LiveState, pause = 0): void {
    this.#state = state;
    this.changed(state, pause);
  }
}

const command = (cmdId: number, subscription: Subscription) => ({ cmdId, entityType: 'DEVICE', ...subscription });
