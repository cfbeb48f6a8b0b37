import type { PayloadCodec } from '../format/payload-codec';
import { readOwnJson } from '../json-reader';
import { readCbor } from './read-cbor';
import { writeCbor } from './write-cbor';

/** A body in CBOR (RFC 8949) means what the same body in JSON would. */
export const CBOR: PayloadCodec = {
  name: 'cbor',
  mediaTypes: ['application/cbor'],
  contentFormat: 60,
  decode: (bytes) => readCbor(bytes),
  encode: (json) => writeCbor(readOwnJson(json)),
};
