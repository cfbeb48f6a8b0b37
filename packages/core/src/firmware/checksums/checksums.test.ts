import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../model';
import { startChecksum } from './index';

/** Where a vector comes from stands behind it; Guava writes numbers with the least significant byte first. */
const VECTORS: readonly (readonly [ChecksumAlgorithm, string, string])[] = [
  ['MD5', '', 'd41d8cd98f00b204e9800998ecf8427e'], // RFC 1321
  ['MD5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['SHA256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'], // FIPS 180-4
  ['SHA384', 'abc', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'],
  [
    'SHA512',
    'abc',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
  ['CRC32', '', '00000000'],
  ['CRC32', '123456789', '2639f4cb'], // 0xcbf43926, the check value of the CRC catalogue
  ['CRC32', 'The quick brown fox jumps over the lazy dog', '39a34f41'], // 0x414fa339
  ['MURMUR3_32', '', '00000000'],
  ['MURMUR3_32', 'a', 'b269253c'],
  ['MURMUR3_32', 'The quick brown fox jumps over the lazy dog', '23f74f2e'], // 0x2e4ff723
  ['MURMUR3_128', '', '00000000000000000000000000000000'],
  ['MURMUR3_128', 'hello', '029bbd41b3a7d8cb191dae486a901e5b'], // 0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19
  ['MURMUR3_128', '123456789012345', 'd6cfafa2ae017088b301084f3626c31e'],
  ['MURMUR3_128', '1234567890123456', 'f82ce3c0c55dbe4fc122c3606be9c8c0'],
  ['MURMUR3_128', '12345678901234567', '7eb726809617867403713f4786631e29'],
  ['MURMUR3_128', 'The quick brown fox jumps over the lazy dog', '6c1b07bc7bbc4be347939ac4a93c437a'], // Guava's test
];

describe('The checksums of packages', () => {
  it.each(VECTORS)('%s of "%s" is what ThingsBoard writes', (algorithm, text, hex) => {
    const checksum = startChecksum(algorithm);
    checksum.update(Buffer.from(text));
    expect(checksum.digest()).toBe(hex);
  });

  it.each(CHECKSUM_ALGORITHMS)('%s does not depend on how the bytes are cut into pieces', (algorithm) => {
    const bytes = Buffer.from(Array.from({ length: 1_003 }, (_, n) => (n * 131 + (n >> 3)) & 0xff));
    const whole = startChecksum(algorithm);
    whole.update(bytes);
    const expected = whole.digest();
    for (const size of [1, 2, 3, 5, 7, 15, 16, 17, 31, 64, 333]) {
      const pieces = startChecksum(algorithm);
      for (let at = 0; at < bytes.length; at += size) pieces.update(bytes.subarray(at, at + size));
      expect(pieces.digest()).toBe(expected);
    }
  });
});
