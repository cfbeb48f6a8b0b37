import type {
  AnswerFormat,
  Clock,
  Connectivity,
  DeviceSession,
  Millis,
  ObserverEnd,
  RpcDelivery,
  RpcHandOut,
  RpcObservation,
} from '@tandem/core';
import { content } from '../content';
import type { Notification, ObservationEnd, ObservationHandle } from '../endpoint/index';
import { DeviceSource } from './device-source';

/** The commands for one device on their way to one observer, one notification each (contract 2.6). */
export class RpcSource extends DeviceSource<RpcObservation> {
  /** The command whose notification is under way. */
  #underWay: RpcHandOut | undefined = undefined;
  /** It has left at least once. */
  #sent = false;
  /** Ended by another observation of the device. */
  #superseded = false;

  private constructor(
    session: DeviceSession,
    connectivity: Pick<Connectivity, 'open'>,
    private readonly clock: Clock,
    private readonly ackTimeout: Millis,
  ) {
    super(session, connectivity);
  }

  /** @param ackTimeout `COAP_TIMEOUT`: how long a command may stay without its acknowledgement */
  static async open(
    session: DeviceSession,
    delivery: RpcDelivery,
    connectivity: Pick<Connectivity, 'open'>,
    clock: Clock,
    ackTimeout: Millis,
    answers: AnswerFormat,
  ): Promise<RpcSource> {
    const source = new RpcSource(session, connectivity, clock, ackTimeout);
    source.observation = await delivery.observe(session, source, answers);
    return source;
  }

  get kind() {
    return 'rpc' as const;
  }

  override attach(relation: ObservationHandle): void {
    super.attach(relation);
    // What was pending before follows the registration.
    relation.ready();
  }

  async next(): Promise<Notification | undefined> {
    if (this.isClosed()) return undefined;
    this.#underWay = undefined;
    const command = await this.observation?.next();
    if (!command) return undefined;
    // It may have ended meanwhile: then nothing is sent, and nobody else would give the command back.
    if (this.isClosed()) {
      command.returned();
      return undefined;
    }
    this.#underWay = command;
    this.#sent = false;
    const notification: Notification = {
      ...content(command.message),
      ackTimeout: Math.max(1, Math.min(this.ackTimeout, command.expirationTime - this.clock.now())),
      unsent: () => command.unsent(),
      sent: () => {
        this.#sent = true;
        command.sent();
      },
      delivered: () => this.#settle(command, 'delivered'),
      lapsed: () => this.#settle(command, 'lapsed'),
    };
    return this.followed(notification, command.traces);
  }

  override end(reason: ObserverEnd): void {
    this.#superseded = reason === 'superseded';
    super.end(reason);
  }

  override closed(reason: ObservationEnd): void {
    super.closed(reason);
    const command = this.#underWay;
    this.#underWay = undefined;
    if (reason === 'timeout' && this.#sent) command?.lapsed();
    else if (reason === 'replaced' || this.#superseded) command?.superseded();
    else command?.returned();
  }

  #settle(command: RpcHandOut, how: 'delivered' | 'lapsed'): void {
    if (this.#underWay === command) this.#underWay = undefined;
    command[how]();
  }
}
