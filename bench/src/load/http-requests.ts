/** What goes over a kept connection, as bytes that are made once. */

/** Telemetry of one device (device contract, HTTP). */
export function telemetryRequest(host: string, port: number, token: string, body: string): Buffer {
  return Buffer.from(
    `POST /api/v1/${token}/telemetry HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** A GET with the header in which ThingsBoard's clients send their login (server contract 1.1). */
export function getRequest(host: string, port: number, path: string, authorization: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nX-Authorization: ${authorization}\r\n\r\n`);
}
