import {
  type Core,
  LiveAttributes,
  type LiveEntry,
  type LiveSource,
  LiveSubscription,
  LiveTelemetry,
  TandemError,
  type Uuid,
} from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import type { Principal } from '../auth/principal';
import type { Command, Wish } from './commands';
import { readHistory } from './history';
import type { Reviewed } from './reviews';
import { ERROR_CODE, errorText, updateText } from './update';

/** One subscription of a session: reviewed, it is looked at once more whether that may see the device. */
export interface Subscribed extends Reviewed {
  readonly deviceId: Uuid;
}

/** All subscriptions of the process, so that those of a device can be found. */
export interface SubscriptionIndex {
  /** There are as many as a process may have. */
  isFull(): boolean;
  /** One was refused, since the process or the session has as many as it may. */
  refused(by: 'subscriptions' | 'subscriptionsOfSession'): void;
  add(subscribed: Subscribed): void;
  remove(subscribed: Subscribed): void;
}

export interface SubscriptionHost {
  readonly principal: Principal;
  /** @returns false where the text is longer than a client may be sent */
  send(text: string): boolean;
}

/** History commands that wait for the one before them. */
const MAX_HISTORIES = 100;
const TOO_LONG = 'The answer is too long: ask for fewer keys, a smaller limit or a shorter range';

type Subscribe = Extract<Command, { readonly kind: 'subscribe' }>;
type History = Extract<Command, { readonly kind: 'history' }>;

const KINDS: readonly Wish['kind'][] = ['telemetry', 'attributes'];

/** The subscriptions of one session, by kind and the `cmdId` of their commands (server contract 10.2, 10.3). */
export class Subscriptions {
  readonly #byId = new Map<string, DeviceSubscription>();
  #histories: Promise<void> = Promise.resolve();
  #waitingHistories = 0;
  readonly #end = new AbortController();

  constructor(
    private readonly core: Core,
    private readonly host: SubscriptionHost,
    private readonly index: SubscriptionIndex,
    private readonly max: number,
  ) {}

  get size(): number {
    return this.#byId.size;
  }

  run(command: Command): void {
    switch (command.kind) {
      case 'subscribe':
        this.#subscribe(command);
        break;
      case 'unsubscribe':
        for (const kind of command.of ? [command.of] : KINDS) this.#byId.get(`${kind} ${command.cmdId}`)?.end();
        break;
      case 'history':
        this.#history(command);
        break;
      case 'refused':
        this.#refuse(command.cmdId, command.message);
    }
  }

  /** Whoever has the session may see less by now. @returns whether anybody could say of each of them */
  async review(): Promise<boolean> {
    let known = true;
    for (const subscription of [...this.#byId.values()]) known = (await subscription.review()) && known;
    return known;
  }

  end(): void {
    this.#end.abort();
    for (const subscription of [...this.#byId.values()]) subscription.end();
  }

  #subscribe({ cmdId, deviceId, wish }: Subscribe): void {
    const id = `${wish.kind} ${cmdId}`;
    this.#byId.get(id)?.end();
    if (this.#byId.size >= this.max) {
      this.index.refused('subscriptionsOfSession');
      this.#refuse(cmdId, `At most ${this.max} subscriptions are allowed in a session`);
      return;
    }
    if (this.index.isFull()) {
      this.index.refused('subscriptions');
      this.host.send(errorText(cmdId, ERROR_CODE.INTERNAL, 'There are too many subscriptions'));
      return;
    }
    const subscription = new DeviceSubscription(this.core, this.host, { cmdId, deviceId, wish }, () => {
      this.index.remove(subscription);
      if (this.#byId.get(id) === subscription) this.#byId.delete(id);
    });
    // Before it is looked whether the device may be seen: what changes meanwhile is heard.
    this.#byId.set(id, subscription);
    this.index.add(subscription);
    void subscription.begin();
  }

  /** One after the other: each may be many points. */
  #history(command: History): void {
    if (this.#waitingHistories >= MAX_HISTORIES) {
      this.#refuse(command.cmdId, 'Too many history commands wait');
      return;
    }
    this.#waitingHistories++;
    this.#histories = this.#histories.then(async () => {
      await this.#answerHistory(command);
      this.#waitingHistories--;
    });
  }

  async #answerHistory({ cmdId, deviceId, keys, range }: History): Promise<void> {
    const { signal } = this.#end;
    if (signal.aborted) return;
    try {
      await accessRequestedDevice(this.core.devices, this.host.principal, deviceId);
      const { points } = await readHistory(this.core.timeSeries, deviceId, keys, range, signal);
      const entries: LiveEntry[] = [];
      for (const [key, ofKey] of points) for (const point of ofKey) entries.push({ id: key, key, ...point });
      if (!this.host.send(updateText(cmdId, entries))) this.#refuse(cmdId, TOO_LONG);
    } catch (error) {
      if (!signal.aborted) this.host.send(failureText(this.core, cmdId, error));
    }
  }

  #refuse(cmdId: number, message: string): void {
    this.host.send(errorText(cmdId, ERROR_CODE.BAD_REQUEST, message));
  }
}

/** Whether the session may see the device, so far as anybody can say now. */
type Right = 'may' | 'may not' | 'unknown';

class DeviceSubscription implements Subscribed {
  readonly deviceId: Uuid;
  readonly #cmdId: number;
  #live: LiveSubscription | undefined;
  readonly #end = new AbortController();

  constructor(
    private readonly core: Core,
    private readonly host: SubscriptionHost,
    private readonly command: Omit<Subscribe, 'kind'>,
    private readonly onEnd: () => void,
  ) {
    this.deviceId = command.deviceId;
    this.#cmdId = command.cmdId;
  }

  /** Never rejects. */
  async begin(): Promise<void> {
    try {
      await accessRequestedDevice(this.core.devices, this.host.principal, this.deviceId);
      if (this.#over) return;
      const { feed } = this.core.state;
      this.#live = new LiveSubscription(feed, this.deviceId, this.#source(this.command.wish), this, this.core.clock);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Where nobody can say, it goes on until somebody can: what it shows it has shown before. */
  async review(): Promise<boolean> {
    return (await this.#right()) !== 'unknown';
  }

  end(): void {
    if (this.#over) return;
    this.#end.abort();
    this.#live?.end();
    this.onEnd();
  }

  get #over(): boolean {
    return this.#end.signal.aborted;
  }

  tell(entries: readonly LiveEntry[]): void {
    if (this.#over) return;
    if (!this.host.send(updateText(this.#cmdId, entries)))
      this.#refuse(() => errorText(this.#cmdId, ERROR_CODE.BAD_REQUEST, TOO_LONG));
  }

  gone(): void {
    this.#fail(absent());
  }

  failed(error: TandemError): void {
    this.#fail(error);
  }

  async #right(): Promise<Right> {
    if (this.#over) return 'may not';
    try {
      await accessRequestedDevice(this.core.devices, this.host.principal, this.deviceId);
      return 'may';
    } catch (thrown) {
      if (!this.#over && TandemError.from(thrown).row.http >= 500) return 'unknown';
      this.#fail(thrown);
      return 'may not';
    }
  }

  #fail(thrown: unknown): void {
    this.#refuse(() => failureText(this.core, this.#cmdId, thrown));
  }

  #refuse(text: () => string): void {
    if (this.#over) return;
    this.end();
    this.host.send(text());
  }

  #source(wish: Wish): LiveSource {
    const { state, timeSeries } = this.core;
    const { deviceId } = this;
    if (wish.kind === 'attributes') return new LiveAttributes(state.attributes, deviceId, wish.scopes, wish.keys);
    const { keys, onlyNewer, history: range } = wish;
    const history = range && keys && (() => readHistory(timeSeries, deviceId, keys, range, this.#end.signal));
    return new LiveTelemetry(timeSeries, deviceId, { keys, onlyNewer, history });
  }
}

const absent = () => new TandemError('NOT_FOUND', { message: "Device with requested id wasn't found!" });

function failureText({ faults }: Core, cmdId: number, thrown: unknown): string {
  const error = TandemError.from(thrown);
  if (error.correlationId !== undefined) {
    error.logFault(faults, 'a command over WebSocket failed');
    return errorText(cmdId, ERROR_CODE.INTERNAL, `Internal Server error! (correlation id ${error.correlationId})`);
  }
  if (error.row.http > 500) return errorText(cmdId, ERROR_CODE.INTERNAL, error.message);
  const unseen = error.code === 'NOT_FOUND' || error.code === 'PERMISSION_DENIED';
  return errorText(cmdId, unseen ? ERROR_CODE.UNAUTHORIZED : ERROR_CODE.BAD_REQUEST, error.message);
}
