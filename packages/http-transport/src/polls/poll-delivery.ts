import type { PollEvent } from '@tandem/core';
import type { Exchange } from '../requests/exchange';

/**
 * Writes an event and tells its source what became of it: written when the system has taken all of it, and not when the
 * connection went away before (contract 1.5.1).
 */
export function deliver(event: PollEvent, exchange: Exchange): void {
  const { response } = exchange;
  const { socket } = exchange.request;
  const settle = (written: boolean) => {
    response.removeListener('finish', finished);
    socket.removeListener('close', lost);
    event.settled(written);
  };
  // node:http also reports `finish` for what was still queued when the socket was destroyed.
  const finished = () => settle(!socket.destroyed);
  const lost = () => settle(false);
  response.on('finish', finished);
  socket.on('close', lost);
  exchange.content(event.message);
}
