import type { Seeded } from './seeded';

/** Changes a datagram in one to three places; `other` lends its end. The result is always a buffer of its own. */
export function spoil(original: Buffer, other: Buffer, random: Seeded): Buffer {
  let datagram = original;
  for (let changes = 1 + random.below(3); changes > 0; changes--) datagram = change(datagram, other, random);
  return datagram;
}

function change(datagram: Buffer, other: Buffer, random: Seeded): Buffer {
  const { length } = datagram;
  const at = random.below(length + 1);
  switch (random.below(10)) {
    case 0:
    case 1:
      return set(datagram, at, random.below(256));
    case 2:
      return set(datagram, at, (datagram[at] ?? 0) ^ (1 << random.below(8)));
    case 3:
      return Buffer.from(datagram.subarray(0, at));
    case 4:
      return Buffer.concat([datagram.subarray(0, at), random.bytes(1 + random.below(8)), datagram.subarray(at)]);
    case 5:
      return Buffer.concat([datagram.subarray(0, at), datagram.subarray(at + 1 + random.below(4))]);
    case 6:
      return Buffer.concat([datagram.subarray(0, at), other.subarray(random.below(other.length + 1))]);
    case 7:
      // Another token length than there is a token.
      return set(datagram, 0, ((datagram[0] ?? 0) & 0xf0) | random.below(16));
    case 8:
      // Nibble 15 in the delta or the length of what may be an option.
      return set(datagram, at, random.percent(50) ? 0xf0 | random.below(15) : (random.below(15) << 4) | 15);
    default:
      return Buffer.concat([datagram, Buffer.from(random.percent(50) ? [0xff] : [0xbe, 0xff, 0xff])]);
  }
}

function set(datagram: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(datagram);
  if (at < changed.length) changed[at] = value;
  return changed;
}
