import type { Socket } from 'node:net';
import type { Exchange } from '../requests/exchange';

const WAITING = Symbol('waiting');
type Connection = Socket & { [WAITING]?: Exchange | undefined };

/**
 * The exchanges that wait for the gateway, the newest of each connection. Kept at the connections, which live long: a set of
 * exchanges, that come and go with every request, costs a quarter of the throughput.
 */
export class WaitingExchanges {
  readonly #connections = new Set<Connection>();

  add(exchange: Exchange): void {
    const connection: Connection = exchange.request.socket;
    if (!(WAITING in connection)) {
      this.#connections.add(connection);
      connection.once('close', () => this.#connections.delete(connection));
    }
    connection[WAITING] = exchange;
  }

  delete(exchange: Exchange): void {
    const connection: Connection = exchange.request.socket;
    if (connection[WAITING] === exchange) connection[WAITING] = undefined;
  }

  *[Symbol.iterator](): Generator<Exchange> {
    for (const connection of [...this.#connections]) {
      const exchange = connection[WAITING];
      if (exchange) yield exchange;
    }
  }
}
