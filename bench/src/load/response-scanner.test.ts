import { ResponseScanner, UnreadableResponse } from './response-scanner';

const STREAM = Buffer.from(
  'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n' +
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length:  12\r\nRetry-After: 1\r\n\r\nHTTP/1.1 \r\n\r' +
    'HTTP/1.1 204 No Content\r\nContent-Lengths: 7\r\nX-Content-Length: 9\r\n\r\n' +
    'HTTP/1.1 401 Unauthorized\r\nCONTENT-LENGTH:3\r\n\r\nabc',
);

function statusesOf(pieces: readonly Uint8Array[]): number[] {
  const statuses: number[] = [];
  const scanner = new ResponseScanner((status) => statuses.push(status));
  for (const piece of pieces) {
    scanner.push(piece);
  }
  return statuses;
}

describe('the response scanner', () => {
  it('finds every response of a stream that comes in one piece', () => {
    expect(statusesOf([STREAM])).toEqual([200, 503, 204, 401]);
  });

  it('finds the same responses wherever the stream is cut in two', () => {
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      expect(statusesOf([STREAM.subarray(0, cut), STREAM.subarray(cut)])).toEqual([200, 503, 204, 401]);
    }
  });

  it('finds the same responses byte by byte', () => {
    expect(statusesOf([...STREAM].map((byte) => Uint8Array.of(byte)))).toEqual([200, 503, 204, 401]);
  });

  it('reports a response only when its last byte has come', () => {
    expect(statusesOf([STREAM.subarray(0, STREAM.length - 1)])).toEqual([200, 503, 204]);
  });

  it('looks only at the part of a reused buffer that was filled', () => {
    const statuses: number[] = [];
    const scanner = new ResponseScanner((status) => statuses.push(status));
    const buffer = Buffer.concat([Buffer.from('left over'), STREAM, Buffer.from('left over')]);
    scanner.push(buffer, 9, 9 + STREAM.length);
    expect(statuses).toEqual([200, 503, 204, 401]);
  });

  it('may be used again for the next response while it reports one', () => {
    const statuses: number[] = [];
    const one = Buffer.from('HTTP/1.1 200 OK\r\n\r\n');
    const scanner: ResponseScanner = new ResponseScanner((status) => {
      statuses.push(status);
      if (statuses.length < 3) {
        scanner.push(one);
      }
    });
    scanner.push(one);
    expect(statuses).toEqual([200, 200, 200]);
  });

  it.each(['SSH-2.0-OpenSSH\r\n', 'HTTP/1.1 2x0 OK\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n'])(
    'gives up on %j',
    (text) => {
      expect(() => statusesOf([Buffer.from(text)])).toThrow(UnreadableResponse);
    },
  );

  it('gives up on the body of a chunked response', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n';
    expect(() => statusesOf([Buffer.from(chunked)])).toThrow('chunked');
  });
});
