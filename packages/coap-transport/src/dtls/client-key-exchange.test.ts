import fc from 'fast-check';
import { pskIdentityIn } from './client-key-exchange';

const CLIENT_KEY_EXCHANGE = 16;

function record(body: Buffer, { type = 22, epoch = 0 } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
}

function message(body: Buffer, { type = CLIENT_KEY_EXCHANGE, offset = 0, length = body.length } = {}): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(type, 0);
  header.writeUIntBE(length, 1, 3);
  header.writeUIntBE(offset, 6, 3);
  header.writeUIntBE(body.length, 9, 3);
  return Buffer.concat([header, body]);
}

/** @param more what ECDHE_PSK has behind it */
function identity(text: string | Buffer, more = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(text as string);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes, more]);
}

describe('The identity of a ClientKeyExchange', () => {
  it('is found with and without a key behind it, in UTF-8, and may be empty', () => {
    expect(pskIdentityIn(record(message(identity('device 1'))))).toBe('device 1');
    expect(pskIdentityIn(record(message(identity('Gerät', Buffer.alloc(33, 7)))))).toBe('Gerät');
    expect(pskIdentityIn(record(message(identity(''))))).toBe('');
  });

  it('is found behind other records of the datagram, and behind other messages of the record', () => {
    const certificate = message(Buffer.alloc(3), { type: 11 });
    expect(pskIdentityIn(Buffer.concat([record(certificate), record(message(identity('id')))]))).toBe('id');
    expect(pskIdentityIn(record(Buffer.concat([certificate, message(identity('id'))])))).toBe('id');
  });

  it('is none in what is encrypted, is no handshake, or is the rest of a fragmented one', () => {
    const body = message(identity('id'));
    expect(pskIdentityIn(record(body, { epoch: 1 }))).toBeUndefined();
    expect(pskIdentityIn(record(body, { type: 20 }))).toBeUndefined();
    expect(pskIdentityIn(record(message(identity('id'), { type: 11 })))).toBeUndefined();
    expect(pskIdentityIn(record(message(identity('id'), { offset: 5, length: 9 })))).toBeUndefined();
  });

  it('is none where it is cut short, or is no UTF-8', () => {
    const whole = identity('a long identity');
    for (const length of [0, 1, 2, 10]) {
      expect(pskIdentityIn(record(message(whole.subarray(0, length), { length: whole.length })))).toBeUndefined();
    }
    expect(pskIdentityIn(record(message(identity(Buffer.from([0xc3, 0x28])))))).toBeUndefined();
  });

  it('is looked for in any bytes without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
        const datagram = Buffer.from(bytes);
        pskIdentityIn(datagram);
        const spoilt = Buffer.concat([record(message(identity('some identity'))), datagram]);
        if (at < spoilt.length) spoilt.writeUInt8(datagram[0] ?? 0, at);
        pskIdentityIn(spoilt);
      }),
    );
  });
});
