import { clientRandom, isClientHello, isOfHandshake, isRecord, recordEnd, withoutRunts } from './records';

const record = (type: number, epoch: number, body: Buffer): Buffer => {
  const header = Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, 0, 0]);
  header.writeUInt16BE(body.length, 11);
  return Buffer.concat([header, body]);
};
const hello = (fragmentOffset = 0): Buffer => {
  const body = Buffer.alloc(80);
  body[0] = 1;
  body.writeUIntBE(fragmentOffset, 6, 3);
  body.fill(7, 14, 46);
  return record(22, 0, body);
};

describe('A datagram of DTLS', () => {
  it('begins with a whole record: anything else is none', () => {
    expect(isRecord(record(23, 1, Buffer.alloc(5)))).toBe(true);
    expect(isRecord(record(23, 1, Buffer.alloc(5)).subarray(0, 17))).toBe(false);
    for (const type of [0, 19, 24, 64, 255]) expect(isRecord(record(type, 0, Buffer.alloc(5)))).toBe(false);
    for (const short of [Buffer.alloc(0), Buffer.from([22]), Buffer.from('16fefd00', 'hex'), Buffer.alloc(13, 22)]) {
      expect(isRecord(short)).toBe(false);
    }
  });

  it('is taken apart at the ends of its records, and never beyond its own', () => {
    const two = Buffer.concat([record(20, 0, Buffer.alloc(1)), record(22, 1, Buffer.alloc(40))]);
    expect(recordEnd(two, 0)).toBe(14);
    expect(recordEnd(two, 14)).toBe(two.length);
    expect(recordEnd(two.subarray(0, 30), 14)).toBe(30);
    expect(recordEnd(two.subarray(0, 20), 14)).toBe(20);
  });

  it('may be a ClientHello, known by its random: later fragments and what is encrypted is none', () => {
    expect(isClientHello(hello())).toBe(true);
    expect(clientRandom(hello())).toBe('\x07'.repeat(32));
    expect(isClientHello(hello(3))).toBe(false);
    expect(isClientHello(record(22, 1, hello().subarray(13)))).toBe(false);
    expect(isClientHello(hello().subarray(0, 58))).toBe(false);
  });

  it('belongs to a handshake under way by its type; alerts only as long as they are not encrypted', () => {
    const of = (type: number, epoch: number) => isOfHandshake(record(type, epoch, Buffer.alloc(2)));
    expect([of(20, 0), of(22, 0), of(22, 1), of(21, 0)]).toEqual([true, true, true, true]);
    expect([of(21, 1), of(23, 1), of(23, 0)]).toEqual([false, false, false]);
  });

  it('loses encrypted records that are too short to be any, and no other ones', () => {
    const [plain, runt, sound] = [
      record(20, 0, Buffer.alloc(1)),
      record(21, 1, Buffer.alloc(23)),
      record(23, 1, Buffer.alloc(24)),
    ];
    expect(withoutRunts(sound, 24)).toBe(sound);
    expect(withoutRunts(Buffer.concat([plain, runt, sound]), 24)).toEqual(Buffer.concat([plain, sound]));
    expect(withoutRunts(runt, 24)).toHaveLength(0);
    expect(withoutRunts(runt, 16)).toBe(runt);
    for (const cut of [3, 8, 20]) expect(withoutRunts(sound.subarray(0, cut), 24)).toHaveLength(0);
  });
});
