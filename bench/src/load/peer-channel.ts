import { createSocket } from 'node:dgram';

/** What a peer sends its messages through, from a UDP port of its own. */
export interface PeerChannel {
  send(message: Buffer): void;
  close(): void;
}

export interface ChannelEvents {
  received(message: Buffer): void;
  failed(reason: string): void;
}

/** Rejects when there is no way to the server. */
export type OpenChannel = (events: ChannelEvents) => Promise<PeerChannel>;

/** Messages go as they are: a datagram each. */
export function udpChannel(host: string, port: number): OpenChannel {
  return async ({ received, failed }) => {
    const socket = createSocket('udp4');
    socket.on('message', received);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, host, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.on('error', (error) => failed(error.message));
    return { send: (message) => socket.send(message), close: () => socket.close() };
  };
}
