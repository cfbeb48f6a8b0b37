import { createHash } from 'node:crypto';
import type { ChecksumAlgorithm } from '../model';
import { Crc32 } from './crc32';
import { Murmur3x32 } from './murmur3-32';
import { Murmur3x128 } from './murmur3-128';
import type { RunningChecksum } from './running-checksum';

export type { RunningChecksum } from './running-checksum';

const ALGORITHMS: Record<ChecksumAlgorithm, () => RunningChecksum> = {
  MD5: () => cryptographic('md5'),
  SHA256: () => cryptographic('sha256'),
  SHA384: () => cryptographic('sha384'),
  SHA512: () => cryptographic('sha512'),
  CRC32: () => new Crc32(),
  MURMUR3_32: () => new Murmur3x32(),
  MURMUR3_128: () => new Murmur3x128(),
};

/** The checksums of packages as ThingsBoard writes them (server contract 8): lower-case hex of Guava's hash functions. */
export const startChecksum = (algorithm: ChecksumAlgorithm): RunningChecksum => ALGORITHMS[algorithm]();

function cryptographic(name: string): RunningChecksum {
  const hash = createHash(name);
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('hex') };
}
