import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { DtlsDevice } from '../support/dtls-device';

/** Records of DTLS 1.2 as they are on the wire (RFC 6347 section 4.1), for those who tamper with them. */

export const RECORD_HEADER = 13;
const HANDSHAKE_HEADER = 12;
/** Of a ClientHello in one record: both headers, then the version. */
const RANDOM = RECORD_HEADER + HANDSHAKE_HEADER + 2;

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23, heartbeat: 24 } as const;
export const MESSAGE = { clientHello: 1, certificate: 11, certificateVerify: 15, clientKeyExchange: 16 } as const;

export interface DtlsRecord {
  readonly content: number;
  readonly epoch: number;
  /** Type of its handshake message, where it is one that is not encrypted. */
  readonly message: number | undefined;
  /** The whole record, in place. */
  readonly bytes: Buffer;
}

export function recordsOf(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  for (let start = 0; start + RECORD_HEADER <= datagram.length; ) {
    const end = start + RECORD_HEADER + datagram.readUInt16BE(start + 11);
    const bytes = datagram.subarray(start, end);
    const [content, epoch] = [bytes[0] ?? 0, bytes.readUInt16BE(3)];
    const plain = content === CONTENT.handshake && epoch === 0;
    records.push({ content, epoch, message: plain ? bytes[RECORD_HEADER] : undefined, bytes });
    start = end;
  }
  return records;
}

/** @param body as it stands behind the header */
export function record(content: number, epoch: number, sequence: number, body: Buffer): Buffer {
  const header = Buffer.from([content, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(epoch, 3);
  header.writeUIntBE(sequence, 5, 6);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
}

/** The first ClientHello of `openssl s_client`, which is left without an answer. */
export async function recordedHello(...options: readonly string[]): Promise<Buffer> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const device = new DtlsDevice(socket.address().port, { more: options });
  const [hello] = (await once(socket, 'message')) as [Buffer];
  device.kill();
  await device.ended;
  socket.close();
  return hello;
}

/** The same of another client: with another random. @param random 32 bytes */
export function helloOf(hello: Buffer, random: Buffer): Buffer {
  const other = Buffer.from(hello);
  random.copy(other, RANDOM);
  return other;
}

/** The cookie of a HelloVerifyRequest: behind both headers and the version. */
export function cookieIn(answer: Buffer): Buffer {
  const start = RECORD_HEADER + HANDSHAKE_HEADER + 2;
  return answer.subarray(start + 1, start + 1 + (answer[start] ?? 0));
}

/** The second ClientHello, which brings the cookie back. */
export const withCookie = (hello: Buffer, cookie: Buffer): Buffer =>
  changed(hello, 1, (body) => {
    const at = 34 + 1 + (body[34] ?? 0);
    return Buffer.concat([body.subarray(0, at), Buffer.of(cookie.length), cookie, body.subarray(at + 1)]);
  });

/** One that offers nothing but these cipher suites. @param suites their numbers; the hello has a cookie already or none */
export const offering = (hello: Buffer, suites: readonly number[]): Buffer =>
  changed(hello, 0, (body) => {
    const cookieAt = 34 + 1 + (body[34] ?? 0);
    const at = cookieAt + 1 + (body[cookieAt] ?? 0);
    const list = Buffer.alloc(2 + 2 * suites.length);
    list.writeUInt16BE(2 * suites.length);
    for (const [n, suite] of suites.entries()) list.writeUInt16BE(suite, 2 + 2 * n);
    return Buffer.concat([body.subarray(0, at), list, body.subarray(at + 2 + body.readUInt16BE(at))]);
  });

/** @param sequence of the record and of the message */
function changed(hello: Buffer, sequence: number, change: (body: Buffer) => Buffer): Buffer {
  const body = change(hello.subarray(RECORD_HEADER + HANDSHAKE_HEADER));
  const header = Buffer.alloc(HANDSHAKE_HEADER);
  header[0] = MESSAGE.clientHello;
  header.writeUIntBE(body.length, 1, 3);
  header.writeUInt16BE(sequence, 4);
  header.writeUIntBE(body.length, 9, 3);
  return record(CONTENT.handshake, 0, sequence, Buffer.concat([header, body]));
}
