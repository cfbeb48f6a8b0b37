import { blockExponent, blockNumber, blockOption, blockSize, MAX_BLOCKS } from './block-option';
import type { IncomingRequest } from './request';
import type { CoapResponse } from './response';
import type { Bytes } from './settings';

/** A body that is not in memory. */
export interface BodySource {
  readonly length: Bytes;
  /** Exactly these bytes, which are within the body. */
  read(offset: Bytes, length: Bytes): Promise<Buffer>;
}

/** What a request says about the block it wants. */
type Asked = Pick<IncomingRequest, 'block2' | 'asksForSize' | 'etags'>;

const BAD_REQUEST: CoapResponse = { code: '4.00' };

/**
 * The block of a source that is asked for, in a response of its own: nothing is kept from block to block, so it does not
 * matter when, in which order, from where and of which process they are asked for; that they are of the same body is told by
 * the ETag (RFC 7959 section 2.4).
 * @param largest exponent of our blocks
 */
export function readBlock(
  asked: Asked,
  response: CoapResponse,
  source: BodySource,
  largest: number,
): Promise<CoapResponse> {
  const { block2, asksForSize } = asked;
  const number = blockNumber(block2);
  const exponent = Math.min(blockExponent(block2), largest);
  const size = blockSize(exponent);
  const start = number * blockSize(blockExponent(block2));
  if (number === 0 && holds(asked.etags, response.etag)) return Promise.resolve({ code: '2.03', etag: response.etag });
  const { length } = source;
  if (start >= length && start > 0) return Promise.resolve(BAD_REQUEST);
  // Nobody could ever have all of it in blocks of this size: better said at the first one than at the last.
  if (length > size * MAX_BLOCKS) return Promise.resolve({ ...BAD_REQUEST, cut: { size2: length } });
  const end = Math.min(start + size, length);
  const place = start / size;
  const inBlocks = block2 !== -1 || length > size;
  const cut = {
    block2: inBlocks ? blockOption(place, end < length, exponent) : undefined,
    size2: asksForSize || (inBlocks && place === 0) ? length : undefined,
  };
  const { code, etag, contentFormat, maxAge } = response;
  return source.read(start, end - start).then((payload) => ({ code, payload, etag, contentFormat, maxAge, cut }));
}

/** RFC 7252 section 5.10.6.2. */
const holds = (etags: readonly Buffer[], etag: Buffer | undefined): boolean =>
  etag !== undefined && etags.some((known) => known.equals(etag));
