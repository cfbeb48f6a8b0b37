import type { Clock, DeviceSession, Millis, RpcDelivery, RpcHandOut, RpcObservation } from '@tandem/core';
import type { Notification, ObservationEnd, ObservationHandle, ObservationSource } from './endpoint/index';
import { JSON_FORMAT } from './json-response';
import { RelationLink } from './relation-link';

/** The commands for one device on their way to one observer, one notification each (contract 2.6). */
export class RpcSource implements ObservationSource {
  readonly #link = new RelationLink();
  #observation: RpcObservation | undefined;
  /** The command whose notification is under way. */
  #underWay: RpcHandOut | undefined;
  #closed = false;

  private constructor(
    private readonly clock: Clock,
    private readonly ackTimeout: Millis,
  ) {}

  /** @param ackTimeout `COAP_TIMEOUT`: how long a command may stay without its acknowledgement */
  static async open(
    session: DeviceSession,
    delivery: RpcDelivery,
    clock: Clock,
    ackTimeout: Millis,
  ): Promise<RpcSource> {
    const source = new RpcSource(clock, ackTimeout);
    const onCommand = () => source.#link.ready();
    source.#observation = await delivery.observe(session, onCommand, () => source.#link.end());
    return source;
  }

  attach(relation: ObservationHandle): void {
    this.#observation?.begin();
    this.#link.attach(relation);
    // What was pending before follows the registration.
    relation.ready();
  }

  async next(): Promise<Notification | undefined> {
    if (this.#closed) return undefined;
    const command = await this.#observation?.next();
    if (!command) return undefined;
    // It may have ended meanwhile: then nothing is sent, and nobody else would give the command back.
    if (this.#isClosed()) {
      command.returned();
      return undefined;
    }
    this.#underWay = command;
    return {
      code: '2.05',
      payload: command.body,
      contentFormat: JSON_FORMAT,
      ackTimeout: Math.max(1, Math.min(this.ackTimeout, command.expirationTime - this.clock.now())),
      sent: () => command.sent(),
      delivered: () => this.#settle(command, 'delivered'),
      lapsed: () => this.#settle(command, 'lapsed'),
    };
  }

  closed(reason: ObservationEnd): void {
    this.#closed = true;
    this.#observation?.close();
    const command = this.#underWay;
    this.#underWay = undefined;
    if (reason === 'timeout') command?.lapsed();
    else command?.returned();
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #settle(command: RpcHandOut, how: 'delivered' | 'lapsed'): void {
    if (this.#underWay === command) this.#underWay = undefined;
    command[how]();
  }
}
