import { type Core, type Millis, TandemError, type Timer, type User } from '@tandem/core';
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../auth/principal';
import { CLOSE } from './close-codes';
import { CommandRate } from './command-rate';
import { type Dialect, readMessage } from './commands';
import type { Credentials } from './credentials';
import { Outbox } from './outbox';
import type { Reviewed } from './reviews';
import { type SubscriptionIndex, Subscriptions } from './subscriptions';
import { ERROR_CODE, errorText } from './update';

/** What a session needs of the process it is in. */
export interface SessionHost {
  readonly core: Core;
  readonly subscriptions: SubscriptionIndex;
  credentials(token: string): Credentials;
  /** @returns why there is no room for a session of the user; else it counts until `left` */
  admit(session: Session, user: User): string | undefined;
  /** @param user undefined where it was never admitted */
  left(session: Session, user: User | undefined): void;
  tooSlow(): void;
  tooManyCommands(): void;
  /** Looks at it again, before long. */
  review(session: Session): void;
}

/** Where a session is between its upgrade and its end. */
type Phase =
  /** Nobody knows who it is; until the timer runs out. */
  | { readonly kind: 'stranger'; readonly timer: Timer }
  /** Its token is being checked; messages that come meanwhile wait. */
  | { readonly kind: 'checking'; readonly waiting: string[] }
  | {
      readonly kind: 'user';
      readonly credentials: Credentials;
      principal: Principal;
      readonly expiry: Timer | undefined;
    }
  | { readonly kind: 'over' };

/** Messages that wait while a token is checked. */
const MAX_WAITING = 16;
/** The longest delay a timer can hold. */
const MAX_DELAY: Millis = 2_147_483_647;

/** One WebSocket connection (server contract 10). */
export class Session implements Reviewed {
  readonly #subscriptions: Subscriptions;
  readonly #outbox: Outbox;
  readonly #rate: CommandRate;
  #phase: Phase;
  #admitted: User | undefined;
  #heardAt: Millis;

  constructor(
    private readonly socket: WebSocket,
    private readonly dialect: Dialect,
    private readonly host: SessionHost,
  ) {
    const { clock, settings } = host.core;
    this.#rate = new CommandRate(settings.TANDEM_WS_MAX_COMMANDS, clock);
    this.#heardAt = clock.monotonic();
    const limits = {
      messages: settings.TB_SERVER_WS_DEFAULT_QUEUE_MESSAGES_PER_SESSION,
      bytes: settings.TANDEM_WS_SEND_BUFFER,
    };
    this.#outbox = new Outbox(socket, limits, clock, () => {
      host.tooSlow();
      this.#end();
    });
    const max = settings.TANDEM_WS_MAX_SUBSCRIPTIONS_PER_SESSION;
    this.#subscriptions = new Subscriptions(host.core, this, host.subscriptions, max);
    this.#listen();
    const timer = clock.setTimer(settings.TB_SERVER_WS_AUTH_TIMEOUT_MS, () => {
      this.close(CLOSE.POLICY_VIOLATION, 'Auth cmd is missing');
    });
    this.#phase = { kind: 'stranger', timer };
  }

  /** @param token of the URL */
  begin(token: string | undefined): void {
    if (token !== undefined) void this.#identify(token, CLOSE.SERVER_ERROR);
  }

  /** Undefined before it is known who it is, and after its end. */
  get user(): User | undefined {
    return this.#phase.kind === 'user' ? this.#phase.principal.user : undefined;
  }

  /** @throws TandemError UNAUTHORIZED where nobody knows who it is */
  get principal(): Principal {
    if (this.#phase.kind !== 'user') throw new TandemError('UNAUTHORIZED');
    return this.#phase.principal;
  }

  send(text: string): boolean {
    return this.#phase.kind === 'over' || this.#outbox.send(text);
  }

  /** Nothing is sent after it. */
  close(code: number, reason: string): void {
    this.#end();
    this.#outbox.close(code, reason);
  }

  /** Cuts the connection. */
  cut(): void {
    this.socket.terminate();
  }

  /** Asks whether the other side is still there; cuts one of which nothing was heard for so long. */
  ping(timeout: Millis): void {
    if (this.host.core.clock.monotonic() - this.#heardAt >= timeout) this.cut();
    else if (this.socket.readyState === this.socket.OPEN) this.socket.ping();
  }

  /** Whether it may still be here, and see what it sees. */
  async review(): Promise<boolean> {
    const phase = this.#phase;
    if (phase.kind !== 'user') return true;
    try {
      phase.principal = await phase.credentials.check();
    } catch (thrown) {
      const error = TandemError.from(thrown);
      if (error.row.http >= 500) return false;
      this.close(CLOSE.POLICY_VIOLATION, error.message);
      return true;
    }
    // Also where the user is as before: what became of the devices may not have been heard.
    return this.#subscriptions.review();
  }

  #listen(): void {
    const { socket } = this;
    socket.on('message', (data: RawData, isBinary: boolean) => {
      this.#heard();
      if (this.#phase.kind === 'over') return;
      if (isBinary) this.close(CLOSE.UNSUPPORTED_DATA, 'Messages are text');
      else this.#message(data.toString());
    });
    for (const sign of ['ping', 'pong'] as const) socket.on(sign, () => this.#heard());
    socket.on('error', (error) => {
      const { logger } = this.host.core;
      if (logger.debugEnabled) logger.debug('a WebSocket failed', { error: error.message });
    });
    socket.once('close', () => {
      this.#end();
      this.host.left(this, this.#admitted);
    });
  }

  #heard(): void {
    this.#heardAt = this.host.core.clock.monotonic();
  }

  #message(text: string): void {
    const phase = this.#phase;
    if (phase.kind === 'checking') {
      phase.waiting.push(text);
      if (phase.waiting.length > MAX_WAITING) this.close(CLOSE.POLICY_VIOLATION, 'Too many commands');
    } else if (phase.kind === 'stranger') {
      const token = readMessage(text, this.dialect)?.token;
      if (token === undefined) this.close(CLOSE.POLICY_VIOLATION, 'Auth cmd is missing');
      else void this.#identify(token, CLOSE.BAD_DATA, text);
    } else if (phase.kind === 'user') {
      this.#run(text);
    }
  }

  #run(text: string): void {
    const message = readMessage(text, this.dialect);
    if (!this.#rate.take(Math.max(1, message?.commands.length ?? 0))) {
      this.host.tooManyCommands();
      this.close(CLOSE.POLICY_VIOLATION, 'Too many commands');
      return;
    }
    if (!message) this.send(errorText(1, ERROR_CODE.BAD_REQUEST, 'Failed to parse the payload'));
    for (const command of message?.commands ?? []) if (this.#phase.kind === 'user') this.#subscriptions.run(command);
  }

  /**
   * @param refusal with which a session is closed whose token is not valid
   * @param first the message that the token came in
   */
  async #identify(token: string, refusal: number, first?: string): Promise<void> {
    if (this.#phase.kind === 'stranger') this.#phase.timer.cancel();
    const checking = { kind: 'checking', waiting: first === undefined ? [] : [first] } as const;
    this.#phase = checking;
    try {
      const credentials = this.host.credentials(token);
      const principal = await credentials.check();
      if (this.#phase !== checking) return;
      const refused = this.host.admit(this, principal.user);
      if (refused !== undefined) {
        this.close(CLOSE.POLICY_VIOLATION, refused);
        return;
      }
      this.#admitted = principal.user;
      this.#phase = { kind: 'user', credentials, principal, expiry: this.#expiryOf(credentials) };
      for (const text of checking.waiting) if (this.#isUser()) this.#run(text);
    } catch (thrown) {
      const error = TandemError.from(thrown);
      const { row, message } = error;
      error.logFault(this.host.core.faults, 'a login over WebSocket failed');
      this.close(row.http >= 500 ? CLOSE.TRY_AGAIN_LATER : refusal, message);
    }
  }

  #isUser(): boolean {
    return this.#phase.kind === 'user';
  }

  #expiryOf({ expiresAt }: Credentials): Timer | undefined {
    if (expiresAt === undefined) return undefined;
    const { clock } = this.host.core;
    const delay = Math.min(Math.max(0, expiresAt - clock.now()), MAX_DELAY);
    return clock.setTimer(delay, () => this.host.review(this));
  }

  #end(): void {
    const phase = this.#phase;
    if (phase.kind === 'over') return;
    if (phase.kind === 'stranger') phase.timer.cancel();
    if (phase.kind === 'user') phase.expiry?.cancel();
    this.#phase = { kind: 'over' };
    this.#subscriptions.end();
  }
}
