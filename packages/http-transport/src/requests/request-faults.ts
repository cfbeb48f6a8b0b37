import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AnsweredRequests, type Clock, TandemError } from '@tandem/core';
import type { Connections } from '../connections/connections';
import { WaitingExchanges } from '../connections/waiting-exchanges';
import { Exchange } from './exchange';

/** The response a connection is busy with: of node:http, without a public name. */
type Connection = Duplex &
  Partial<Pick<Socket, 'destroySoon'>> & { readonly _httpMessage?: { headersSent: boolean } | null };

const end = (socket: Connection): void => void (socket.destroySoon ? socket.destroySoon() : socket.destroy());

/** What node:http refuses before there is a request to be served gets the error JSON of contract 1.6 as well. */
export function answerFaults(
  server: Server,
  clock: Clock,
  connections: Pick<Connections, 'begin' | 'latest'>,
  counted: AnsweredRequests | undefined,
): void {
  server.on('clientError', (fault: NodeJS.ErrnoException, socket: Connection) => {
    const open = connections.latest(socket);
    // There is an answer still to come, and it is the last one: what comes behind means nothing (RFC 9112 section 9.6).
    if (fault.code === 'HPE_CLOSED_CONNECTION' && open) return;
    if (!isOfClient(fault)) {
      socket.destroy();
      return;
    }
    const error = errorOf(fault);
    if (open && !open.response.headersSent) {
      // What was in order before is answered as it is: its client could take a refusal for its own, and send it again.
      if (open.request.complete) open.response.shouldKeepAlive = false;
      else refuse(open.request, open.response, error, clock, counted);
      return;
    }
    // Behind an answer that is still to come: what is written now would be taken for that one.
    if (open && socket._httpMessage !== open.response) {
      // One that is not the last yet cannot be told to the client any more.
      if (open.response.shouldKeepAlive) open.response.once('close', () => end(socket));
      open.response.shouldKeepAlive = false;
      return;
    }
    // Into an answer that has begun nothing else may be written.
    if (socket.writable && !socket._httpMessage?.headersSent) {
      socket.write(answerTo(error, clock));
      // When it began to arrive nobody has noted.
      counted?.answered(error.row.http, 0);
    }
    end(socket);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    if (!connections.begin(request, response)) return;
    new Exchange(request, response, clock, NONE, counted).fail(new TandemError('EXPECTATION_FAILED'));
  });
}

/** And not of the network, where nobody is there any more, nor of TLS, where nobody could read the answer. */
const isOfClient = ({ code = '' }: NodeJS.ErrnoException): boolean =>
  code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';

const NONE = new WaitingExchanges();

/** The connection ends with it. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: TandemError,
  clock: Clock,
  counted: AnsweredRequests | undefined,
): void {
  const exchange = new Exchange(request, response, clock, NONE, counted);
  exchange.closeConnection();
  // Nothing that comes after it is read: it is not known where it would end.
  exchange.bodyUnread = false;
  exchange.fail(error);
}

function errorOf({ code }: NodeJS.ErrnoException): TandemError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new TandemError('HEADERS_TOO_LARGE');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TandemError('REQUEST_TIMEOUT');
    default:
      return new TandemError('MALFORMED_REQUEST');
  }
}

/** By hand: there is no request that a response could be made of. */
function answerTo({ row: { http: status, errorCode }, message }: TandemError, clock: Clock): string {
  const body = JSON.stringify({ status, message, errorCode, timestamp: clock.now() });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
