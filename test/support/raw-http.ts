import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to the HTTP door on which a test writes what it wants. */
export class RawConnection {
  /** What has been received. */
  text = '';
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      this.text += piece;
    });
    // Whoever is cut off is reset where it still sends.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection(connect(port, '127.0.0.1'));
    await once(connection.socket, 'connect');
    return connection;
  }

  /** What comes back until the gateway closes the connection. @param text one byte for each character */
  static async tell(port: number, text: string): Promise<string> {
    const connection = await RawConnection.open(port);
    connection.socket.write(text, 'latin1');
    await connection.closed;
    return connection.text;
  }

  /** The statuses of what has come back. */
  get statuses(): number[] {
    return statusesOf(this.text);
  }

  /** Resolves when so many answers have come. */
  async answers(count: number): Promise<void> {
    while (this.statuses.length < count && !this.socket.destroyed) {
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
  }
}

/** Of answers one after the other. */
export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
