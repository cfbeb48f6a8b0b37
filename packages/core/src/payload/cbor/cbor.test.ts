import fc from 'fast-check';
import { readOwnJson } from '../json-reader';
import { readCbor } from './read-cbor';
import { writeCbor } from './write-cbor';

const read = (hex: string) => readCbor(Buffer.from(hex, 'hex'));
const write = (json: string) => writeCbor(readOwnJson(json)).toString('hex');

const TO_25 = `[${Array.from({ length: 25 }, (_, i) => i + 1).join(',')}]`;
const TO_25_HEX = '0102030405060708090a0b0c0d0e0f101112131415161718181819';

/** RFC 8949 appendix A. `both`: what is written of the JSON are the same bytes. */
const APPENDIX_A: readonly [hex: string, json: string, both?: 'both'][] = [
  ['00', '0', 'both'],
  ['01', '1', 'both'],
  ['0a', '10', 'both'],
  ['17', '23', 'both'],
  ['1818', '24', 'both'],
  ['1819', '25', 'both'],
  ['1864', '100', 'both'],
  ['1903e8', '1000', 'both'],
  ['1a000f4240', '1000000', 'both'],
  ['1b000000e8d4a51000', '1000000000000', 'both'],
  ['1bffffffffffffffff', '18446744073709551615', 'both'],
  ['c249010000000000000000', '18446744073709551616', 'both'],
  ['3bffffffffffffffff', '-18446744073709551616', 'both'],
  ['c349010000000000000000', '-18446744073709551617', 'both'],
  ['20', '-1', 'both'],
  ['29', '-10', 'both'],
  ['3863', '-100', 'both'],
  ['3903e7', '-1000', 'both'],
  ['f90000', '0.0', 'both'],
  // A double is stored without the sign of zero (contract 3.6).
  ['f98000', '0.0'],
  ['f93c00', '1.0', 'both'],
  ['fb3ff199999999999a', '1.1', 'both'],
  ['f93e00', '1.5', 'both'],
  ['f97bff', '65504.0', 'both'],
  ['fa47c35000', '100000.0', 'both'],
  ['fa7f7fffff', '3.4028234663852886E38', 'both'],
  ['fb7e37e43c8800759c', '1.0E300', 'both'],
  ['f90001', '5.960464477539063E-8', 'both'],
  ['f90400', '6.103515625E-5', 'both'],
  ['f9c400', '-4.0', 'both'],
  ['fbc010666666666666', '-4.1', 'both'],
  ['f97c00', '"Infinity"'],
  ['f97e00', '"NaN"'],
  ['f9fc00', '"-Infinity"'],
  ['fa7f800000', '"Infinity"'],
  ['fa7fc00000', '"NaN"'],
  ['faff800000', '"-Infinity"'],
  ['fb7ff0000000000000', '"Infinity"'],
  ['fb7ff8000000000000', '"NaN"'],
  ['fbfff0000000000000', '"-Infinity"'],
  ['f4', 'false', 'both'],
  ['f5', 'true', 'both'],
  ['f6', 'null', 'both'],
  ['f7', 'null'],
  ['c074323031332d30332d32315432303a30343a30305a', '"2013-03-21T20:04:00Z"'],
  ['c11a514b67b0', '1363896240'],
  ['c1fb41d452d9ec200000', '1.3638962405E9'],
  ['d74401020304', '"AQIDBA"'],
  ['d818456449455446', '"ZElFVEY"'],
  ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', '"http://www.example.com"'],
  ['40', '""'],
  ['4401020304', '"AQIDBA"'],
  ['60', '""', 'both'],
  ['6161', '"a"', 'both'],
  ['6449455446', '"IETF"', 'both'],
  ['62225c', '"\\"\\\\"', 'both'],
  ['62c3bc', '"ü"', 'both'],
  ['63e6b0b4', '"水"', 'both'],
  ['64f0908591', '"𐅑"', 'both'],
  ['80', '[]', 'both'],
  ['83010203', '[1,2,3]', 'both'],
  ['8301820203820405', '[1,[2,3],[4,5]]', 'both'],
  [`9819${TO_25_HEX}`, TO_25, 'both'],
  ['a0', '{}', 'both'],
  ['a201020304', '{"1":2,"3":4}'],
  ['a26161016162820203', '{"a":1,"b":[2,3]}', 'both'],
  ['826161a161626163', '["a",{"b":"c"}]', 'both'],
  ['a56161614161626142616361436164614461656145', '{"a":"A","b":"B","c":"C","d":"D","e":"E"}', 'both'],
  ['5f42010243030405ff', '"AQIDBAU"'],
  ['7f657374726561646d696e67ff', '"streaming"'],
  ['9fff', '[]'],
  ['9f018202039f0405ffff', '[1,[2,3],[4,5]]'],
  ['9f01820203820405ff', '[1,[2,3],[4,5]]'],
  ['83018202039f0405ff', '[1,[2,3],[4,5]]'],
  ['83019f0203ff820405', '[1,[2,3],[4,5]]'],
  [`9f${TO_25_HEX}ff`, TO_25],
  ['bf61610161629f0203ffff', '{"a":1,"b":[2,3]}'],
  ['826161bf61626163ff', '["a",{"b":"c"}]'],
  ['bf6346756ef563416d7421ff', '{"Fun":true,"Amt":-2}'],
];

describe('CBOR', () => {
  it.each(APPENDIX_A)('reads %s as %s', (hex, json) => {
    expect(read(hex)).toBe(json);
  });

  it.each(APPENDIX_A.filter(([, , both]) => both))('writes %s for %s', (hex, json) => {
    expect(write(json)).toBe(hex);
  });

  it.each([
    [
      'of keys that are there twice the last counts, in the place of the first',
      'a3616101616202616103',
      '{"a":3,"b":2}',
    ],
    ['an integer key is its digits', 'a2200139ffff02', '{"-1":1,"-65536":2}'],
    ['a tag around a key says nothing', 'a1c1616101', '{"a":1}'],
    ['tags around tags say nothing', 'd9d9f7c1c11a514b67b0', '1363896240'],
    ['a bignum within 64 bits is an integer like others', 'c2420102', '258'],
    ['a bignum in chunks', 'c25f41014102ff', '258'],
    ['an empty bignum is zero', 'c240', '0'],
    ['integers in longer forms than they need', '1b0000000000000001', '1'],
    ['a decimal fraction', 'c48221196ab3', '273.15'],
    ['a decimal fraction of ten', 'c4820201', '100.0'],
    ['the largest 64-bit integer a LONG holds', '1b7fffffffffffffff', '9223372036854775807'],
    ['the smallest', '3b7fffffffffffffff', '-9223372036854775808'],
    [
      'integers about the safe range',
      '831b001ffffffffffffe1b001fffffffffffff3b001fffffffffffff',
      '[9007199254740990,9007199254740991,-9007199254740992]',
    ],
    ['a replacement character that was sent', '63efbfbd', '"\ufffd"'],
    ['`__proto__` as any other key', 'a1695f5f70726f746f5f5f01', '{"__proto__":1}'],
  ])('%s', (_what, hex, json) => {
    expect(read(hex)).toBe(json);
  });

  it.each([
    ['nothing', ''],
    ['a head without a meaning', '1c'],
    ['an integer of no definite length', '1f'],
    ['an integer cut short', '1901'],
    ['a float cut short', 'fb3ff199'],
    ['a text cut short', '626f'],
    ['an array cut short', '8201'],
    ['a map without its last value', 'a16161'],
    ['a map that ends behind a key', 'bf6161ff'],
    ['a break at the top', 'ff'],
    ['a break in an array of definite length', '81ff'],
    ['bytes behind the document', '0100'],
    ['a chunk of another kind in a byte string', '5f6161ff'],
    ['a chunk without a length of its own', '7f7f6161ffff'],
    ['a tag on nothing', 'c1'],
    ['a simple value that has no meaning', 'f0'],
    ['a simple value in two bytes that has one', 'f814'],
    ['text that is no UTF-8', '62c328'],
    ['a chunk that ends within a character', '7f61c361bcff'],
    ['a key that is a boolean', 'a1f501'],
    ['a key that is a byte string', 'a1416101'],
    ['a key that is a float', 'a1f93c0001'],
    ['a bignum of text', 'c26161'],
    ['a decimal fraction of three', 'c483010203'],
    ['a decimal fraction beyond a double', 'c4821a0001000001'],
    ['an array that claims 2^64 - 1 items', '9bffffffffffffffff'],
    ['an array that claims more items than there are bytes', '9a0000ffff01'],
    ['a map that claims 2^32 - 1 members', 'baffffffff'],
    ['a text that claims a gigabyte', '7a40000000'],
    ['a byte string that claims 2^63 bytes', '5b8000000000000000'],
    ['JSON', Buffer.from('{"a":1}').toString('hex')],
  ])('refuses %s', (_what, hex) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
  });

  it('refuses nesting beyond that of JSON, however it is nested', () => {
    const nested = (depth: number) => `${'81'.repeat(depth)}01`;
    expect(read(nested(255))).toBe(`${'['.repeat(255)}1${']'.repeat(255)}`);
    for (const deep of [nested(256), nested(300_000), '9f'.repeat(300_000), 'a16161'.repeat(300_000)]) {
      expect(() => read(deep)).toThrow('nested more than 255 deep');
    }
    expect(() => read('c1'.repeat(300_000))).toThrow('more than 100000 values');
    expect(() => read(`5f${'40'.repeat(300_000)}ff`)).toThrow('more than 100000 values');
    expect(() => read(`9f${'00'.repeat(300_000)}ff`)).toThrow('more than 100000 values');
  });

  it('reads and writes what is deeply nested in time linear in its length', () => {
    const length = 500_000;
    const text = Buffer.alloc(length + 5, 'a');
    text[0] = 0x7a;
    text.writeUInt32BE(length, 1);
    const cpuTimeAt = (depth: number) => {
      const begun = process.cpuUsage();
      for (const level of ['81', 'a16161', '9f']) {
        const end = level === '9f' ? Buffer.alloc(depth, 0xff) : Buffer.alloc(0);
        const json = readCbor(Buffer.concat([Buffer.from(level.repeat(depth), 'hex'), text, end]));
        expect(json.length).toBeGreaterThan(length + 2 * depth);
        expect(writeCbor(readOwnJson(json)).length).toBeGreaterThan(length + depth);
      }
      const { user, system } = process.cpuUsage(begun);
      return user + system;
    };
    cpuTimeAt(2);
    const shallow = Math.min(...[1, 2, 3].map(() => cpuTimeAt(2)));
    // A copy of the whole at each level made it a hundred times as much.
    expect(Math.min(...[1, 2, 3].map(() => cpuTimeAt(253)))).toBeLessThan(shallow * 10);
  });

  it('counts a decimal fraction within a decimal fraction as nesting', () => {
    expect(() => read('c4'.repeat(50_000))).toThrow('nested more than 255 deep at byte 255');
    expect(() => read(`c482${'c48201'.repeat(20_000)}01`)).toThrow('nested more than 255 deep');
    expect(read('c48221c249010000000000000000')).toBe('1.8446744073709552E17');
  });

  it.each([
    ['the item that is too long', '8301820245', 'a length beyond the end at byte 4'],
    ['where the bytes end', '8301', 'a length beyond the end at byte 0'],
    ['where a number is cut short', '190a', 'cut short at byte 2'],
    ['what follows the document', '0100', 'bytes after the document at byte 1'],
    ['the text that is no UTF-8', '82016361ff61', 'no UTF-8 at byte 2'],
    ['the key', 'a2616101f502', 'a key that is neither text nor an integer at byte 4'],
    ['the simple value', '8201f818', 'a simple value without a meaning at byte 2'],
    ['the decimal fraction', '8201c483010203', 'a decimal fraction that no double holds at byte 2'],
  ])('names the byte of %s', (_what, hex, sentence) => {
    expect(() => read(hex)).toThrow(`Not CBOR: ${sentence}`);
  });

  it('refuses a bignum that has more digits than a number may have', () => {
    const bignum = (length: number) => `c259${length.toString(16).padStart(4, '0')}${'ff'.repeat(length)}`;
    expect(read(bignum(167))).toHaveLength(403);
    expect(() => read(bignum(168))).toThrow('a bignum too long');
    expect(() => read(bignum(60_000))).toThrow('a bignum too long');
  });

  it('writes a number that no double holds, and an integer of endless digits, as text', () => {
    expect(write('1e400')).toBe('653165343030');
    expect(write('9'.repeat(1000))).toBe(`7903e8${'39'.repeat(1000)}`);
  });

  it('reads back what it wrote, number by number', () => {
    const key = fc.string({ unit: 'grapheme', maxLength: 8 });
    const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(fc.boolean(), fc.constant(null), fc.string({ unit: 'grapheme' }), double, fc.integer()),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        const json = JSON.stringify(given);
        expect(JSON.parse(readCbor(writeCbor(readOwnJson(json))))).toEqual(JSON.parse(json));
      }),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (n) => {
        expect(readCbor(writeCbor(readOwnJson(String(n))))).toBe(String(n));
      }),
    );
  });

  it('writes the shortest float that is exact', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        const bytes = writeCbor(readOwnJson(n.toExponential()));
        const width = bytes.length - 1;
        expect(Number(readCbor(bytes))).toBe(n === 0 ? 0 : n);
        if (Math.fround(n) === n) expect(width).toBeLessThanOrEqual(4);
        else expect(width).toBe(8);
      }),
    );
    for (let bits = 0; bits < 0x7c00; bits++) {
      const half = Buffer.from([0xf9, bits >> 8, bits & 0xff]);
      if (!writeCbor(readOwnJson(readCbor(half))).equals(half)) throw new Error(`${half.toString('hex')} changes`);
    }
  });

  it('makes valid JSON of any bytes, or refuses them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          JSON.parse(readCbor(Buffer.from(bytes)));
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_PAYLOAD' });
        }
      }),
      { numRuns: 1500 },
    );
  });
});
