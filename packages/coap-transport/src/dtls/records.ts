/** The frame of DTLS records (RFC 6347 section 4.1), as far as whoever routes datagrams has to know it. */

export const RECORD_HEADER = 13;
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** First byte of the version, 254.x: one's complement of 1.x. */
const VERSION = 0xfe;
const CLIENT_HELLO = 1;
const HANDSHAKE_HEADER = 12;
/** Of a ClientHello in one piece: after both headers and the version comes the random. */
const RANDOM_START = RECORD_HEADER + HANDSHAKE_HEADER + 2;
const RANDOM_END = RANDOM_START + 32;

/** Where the record that begins at `start` ends; the end of the datagram where it is cut short. */
export function recordEnd(datagram: Buffer, start: number): number {
  if (start + RECORD_HEADER > datagram.length) return datagram.length;
  return Math.min(datagram.length, start + RECORD_HEADER + datagram.readUInt16BE(start + 11));
}

/** Whether it begins with a whole record of DTLS. Anything else is dropped without a look. */
export function isRecord(datagram: Buffer): boolean {
  const type = datagram[0] ?? 0;
  return (
    datagram.length > RECORD_HEADER &&
    type >= CHANGE_CIPHER_SPEC &&
    type <= APPLICATION_DATA &&
    datagram[1] === VERSION &&
    RECORD_HEADER + datagram.readUInt16BE(11) <= datagram.length
  );
}

/** For a client whose handshake is given up: internal_error, in clear, later than all that was sent before. */
export const EVICTED = Buffer.from('15fefd00007fffffffffff00020250', 'hex');

const epoch = (datagram: Buffer): number => datagram.readUInt16BE(3);

/** Whether it begins with a ClientHello that is not encrypted, at least its first fragment. */
export function isClientHello(datagram: Buffer): boolean {
  return (
    datagram[0] === HANDSHAKE &&
    epoch(datagram) === 0 &&
    datagram.length >= RANDOM_END &&
    datagram[RECORD_HEADER] === CLIENT_HELLO &&
    datagram.readUIntBE(RECORD_HEADER + 6, 3) === 0
  );
}

/** The random of a ClientHello, which tells one from its repetition: see `isClientHello`. */
export const clientRandom = (hello: Buffer): string => hello.toString('latin1', RANDOM_START, RANDOM_END);

const isEncrypted = (datagram: Buffer, start: number) => datagram.readUInt16BE(start + 3) > 0;

/** Whether one of its records is encrypted. */
export const hasEncryptedRecord = (datagram: Buffer): boolean => hasRecord(datagram, isEncrypted);

/** Whether one of its records says that those after it are encrypted. */
export const hasChangeCipherSpec = (datagram: Buffer): boolean =>
  hasRecord(datagram, (_, start) => datagram[start] === CHANGE_CIPHER_SPEC && !isEncrypted(datagram, start));

function hasRecord(datagram: Buffer, which: (datagram: Buffer, start: number) => boolean): boolean {
  for (let start = 0; start + RECORD_HEADER <= datagram.length; start = recordEnd(datagram, start)) {
    if (which(datagram, start)) return true;
  }
  return false;
}

/**
 * The datagram without encrypted records that are too short to be any. OpenSSL does not drop those, as RFC 6347 section 4.1.2.7 has
 * it, but ends the session with internal_error: one datagram in the name of the client's address would be enough.
 * @param overhead bytes that the cipher adds to what it encrypts
 */
export function withoutRunts(datagram: Buffer, overhead: number): Buffer {
  const sound: Buffer[] = [];
  let runts = false;
  for (let start = 0; start < datagram.length; ) {
    const end = recordEnd(datagram, start);
    const length = end - start - RECORD_HEADER;
    if (length < 0 || (length < overhead && datagram.readUInt16BE(start + 3) > 0)) runts = true;
    else sound.push(datagram.subarray(start, end));
    start = end;
  }
  return runts ? Buffer.concat(sound) : datagram;
}

/** Whether it can only belong to a handshake that is under way: types 20 and 22, and alerts that are not encrypted. */
export function isOfHandshake(datagram: Buffer): boolean {
  const type = datagram[0];
  return type === HANDSHAKE || type === CHANGE_CIPHER_SPEC || (type === ALERT && epoch(datagram) === 0);
}

export const isApplicationData = (datagram: Buffer): boolean => datagram[0] === APPLICATION_DATA;
