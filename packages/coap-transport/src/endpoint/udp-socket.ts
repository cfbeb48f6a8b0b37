import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Logger } from '@tandem/core';
import { OwnAddresses } from './own-addresses';

/** What is asked of the operating system, which may grant less. */
export const RECEIVE_BUFFER_BYTES = 4 << 20;

/** A security session of a secured socket, at the address and port that it began at. */
export interface SecuritySession {
  readonly address: string;
  readonly port: number;
}

/** Where a datagram goes. `session` is whatever a secured socket handed over with the peer's datagrams. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly session: object | undefined;
}

/**
 * `session` is undefined on plain UDP. A secured socket passes one object per security session: a new session on the
 * same address and port is a new endpoint (RFC 7252 section 9.1).
 */
export type DatagramReceiver = (datagram: Buffer, address: string, port: number, session?: object) => void;

/** The port to the network. What is sent belongs to the socket and is not written to again. */
export interface UdpSocket {
  send(datagram: Buffer, to: Destination): void;
  receive(receiver: DatagramReceiver): void;
  /** Of a secured socket: tells before a security session that can still be sent in is ended from here. */
  onSessionEnding?(listener: (session: SecuritySession) => void): void;
  /** Of a secured socket: tells when a security session is no more. Nothing comes of it or goes to it any more. */
  onSessionEnd?(listener: (session: SecuritySession) => void): void;
  /** Whether this is the socket itself: what seems to come from there is forged, and an answer would come back. */
  isSelf(address: string, port: number): boolean;
  readonly local: { readonly address: string; readonly port: number };
  close(): Promise<void>;
}

export interface UdpSocketOptions {
  /** An IPv4 or IPv6 address, or a name for an IPv4 one. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of a socket that is bound already: address and port say the same as it. Undefined: binds one. */
  readonly descriptor?: number;
  /** Bytes; the operating system may grant less. */
  readonly receiveBuffer?: number;
  readonly logger: Logger;
}

/**
 * A bound UDP socket. `reuseAddr` is off: with it a second process could bind the same port and silently take all the
 * traffic. Rejects when the address cannot be bound.
 */
export async function openUdpSocket(options: UdpSocketOptions): Promise<UdpSocket> {
  const family = options.address.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    reuseAddr: false,
    // Destinations are literal addresses: answering at once saves a trip through the next tick per datagram. Only the address
    // to bind to may be a name.
    lookup: (hostname, _options, done) => {
      if (isIP(hostname) !== 0) done(null, hostname, family);
      else lookup(hostname, family, done);
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    const { address, port, descriptor } = options;
    const what = descriptor === undefined ? { address, port } : { fd: descriptor };
    socket.bind({ ...what, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
  socket.on('error', (error) => options.logger.warn('UDP socket error', { error: error.message }));
  try {
    socket.setRecvBufferSize(options.receiveBuffer ?? RECEIVE_BUFFER_BYTES);
  } catch {
    // A small buffer loses bursts, it does not stop the service.
  }
  return new BoundUdpSocket(socket);
}

class BoundUdpSocket implements UdpSocket {
  readonly #socket: Socket;
  readonly local: { readonly address: string; readonly port: number };
  readonly #own: OwnAddresses;
  #open = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    this.#own = new OwnAddresses(address, () => performance.now());
  }

  isSelf(address: string, port: number): boolean {
    return port === this.local.port && this.#own.has(address);
  }

  send(datagram: Buffer, to: Destination): void {
    // With an offset and a length it would make one more view of the same bytes.
    if (this.#open) this.#socket.send(datagram, to.port, to.address);
  }

  receive(receiver: DatagramReceiver): void {
    this.#socket.on('message', (datagram, source) => receiver(datagram, source.address, source.port));
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
