import type { Clock, Millis } from '@tandem/core';
import type { DatagramReceiver, Destination, SecuritySession, UdpSocket } from '../udp-socket';
import type { FakeRandom } from './fake-random';

export interface NetworkConditions {
  /** Share of datagrams that vanish, 0 to 1. */
  readonly loss?: number;
  /** Share of datagrams that arrive twice. */
  readonly duplication?: number;
  /** One-way delay; with `jitter` datagrams overtake each other. */
  readonly delay?: Millis;
  readonly jitter?: Millis;
}

/** A datagram network in memory, as bad as asked for, and the same every time for the same seed. */
export class FakeNetwork {
  readonly #clock: Clock;
  readonly #random: FakeRandom;
  readonly #sockets = new Map<string, FakeSocket>();
  conditions: NetworkConditions;
  /** Datagrams handed to the network so far, and what they weigh. */
  datagrams = 0;
  bytes = 0;

  constructor(clock: Clock, random: FakeRandom, conditions: NetworkConditions = {}) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = conditions;
  }

  bind(address: string, port: number): FakeSocket {
    const key = `${address}:${port}`;
    if (this.#sockets.has(key)) throw new Error(`${key} is taken`);
    const socket = new FakeSocket(this, address, port);
    this.#sockets.set(key, socket);
    return socket;
  }

  /** Whoever was there is gone without a word. */
  vacate(address: string, port: number): void {
    this.#sockets.delete(`${address}:${port}`);
  }

  /** For `FakeSocket` only. */
  rebind(socket: FakeSocket, address: string, port: number): void {
    this.release(socket);
    this.#sockets.set(`${address}:${port}`, socket);
  }

  /** For `FakeSocket` only. */
  release(socket: FakeSocket): void {
    this.#sockets.delete(`${socket.local.address}:${socket.local.port}`);
  }

  /** For `FakeSocket` only. */
  carry(datagram: Buffer, from: Destination, to: Destination): void {
    this.datagrams++;
    this.bytes += datagram.length;
    const { loss = 0, duplication = 0 } = this.conditions;
    if (this.#random.fraction() < loss) return;
    this.#deliver(datagram, from, to);
    if (this.#random.fraction() < duplication) this.#deliver(datagram, from, to);
  }

  #deliver(datagram: Buffer, from: Destination, to: Destination): void {
    const copy = Buffer.from(datagram);
    const { delay = 1, jitter = 0 } = this.conditions;
    this.#clock.setTimer(delay + jitter * this.#random.fraction(), () => {
      this.#sockets.get(`${to.address}:${to.port}`)?.arrive(copy, from);
    });
  }
}

export class FakeSocket implements UdpSocket {
  readonly #network: FakeNetwork;
  #receiver: DatagramReceiver | undefined;
  local: { readonly address: string; readonly port: number };
  closed = false;
  /** What a secured socket would hand over with the datagrams from here. */
  session: object | undefined = undefined;
  /** A security session of somebody who sends to here is over. */
  endSession: (session: SecuritySession) => void = () => {};
  /** It is ended from here. */
  closeSession: (session: SecuritySession) => void = () => {};

  constructor(network: FakeNetwork, address: string, port: number) {
    this.#network = network;
    this.local = { address, port };
  }

  send(datagram: Buffer, to: Destination): void {
    if (!this.closed) this.#network.carry(datagram, { ...this.local, session: this.session }, to);
  }

  receive(receiver: DatagramReceiver): void {
    this.#receiver = receiver;
  }

  onSessionEnding(listener: (session: SecuritySession) => void): void {
    this.closeSession = (session) => {
      listener(session);
      this.endSession(session);
    };
  }

  onSessionEnd(listener: (session: SecuritySession) => void): void {
    this.endSession = listener;
  }

  isSelf(address: string, port: number): boolean {
    return port === this.local.port && address === this.local.address;
  }

  /** For `FakeNetwork` only. */
  arrive(datagram: Buffer, from: Destination): void {
    this.#receiver?.(datagram, from.address, from.port, from.session);
  }

  /** A NAT gave this socket another outside address. */
  move(address: string, port: number): void {
    this.#network.rebind(this, address, port);
    this.local = { address, port };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.#network.release(this);
  }
}
