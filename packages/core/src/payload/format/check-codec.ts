import { types } from 'node:util';
import { PAYLOAD_KINDS, type PayloadCodec } from './payload-codec';
import { isProtobuf } from './protobuf-format';

/** What the gateway calls formats that are no codecs. */
const OWN_NAMES: ReadonlySet<string> = new Set(['json', 'protobuf']);
/** Media types that say what they say whatever codecs there are. */
const isOwnMediaType = (type: string): boolean => type === 'application/json' || isProtobuf(type);
/** Text, links, octets, which protobuf is in, and JSON (RFC 7252 section 12.3). */
const OWN_CONTENT_FORMATS: ReadonlySet<number> = new Set([0, 40, 42, 50]);

const NAME = /^[a-z0-9][-+._a-z0-9]{0,63}$/;
const MEDIA_TYPE = /^[a-z0-9][-!#$&^_.+a-z0-9]{0,126}\/[a-z0-9][-!#$&^_.+a-z0-9]{0,126}$/;
const MAX_CONTENT_FORMAT = 65_535;

/**
 * What is wrong with a thing that is to be a codec; undefined when it is one. One whose properties throw
 * has that fault.
 * @param others the codecs that are there already: no name on the wire can mean two formats
 */
export function faultOfCodec(candidate: unknown, others: readonly PayloadCodec[]): string | undefined {
  try {
    return faultOf(candidate, others);
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function faultOf(candidate: unknown, others: readonly PayloadCodec[]): string | undefined {
  if (typeof candidate !== 'object' || candidate === null) return 'is not an object';
  const { name, mediaTypes, contentFormat, kinds, decode, encode } = candidate as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || !NAME.test(name)) return 'needs a `name` of lower-case letters, digits, + - . and _';
  if (OWN_NAMES.has(name) || others.some((other) => other.name === name))
    return `is called ${name}, as another format is`;
  if (typeof decode !== 'function' || typeof encode !== 'function') return 'needs the functions `decode` and `encode`';
  if (types.isAsyncFunction(decode) || types.isAsyncFunction(encode)) {
    return 'needs functions `decode` and `encode` that answer at once: they cannot be async';
  }
  return (
    faultOfMediaTypes(mediaTypes, others) ??
    faultOfContentFormat(contentFormat, mediaTypes, others) ??
    faultOfKinds(kinds)
  );
}

function faultOfMediaTypes(mediaTypes: unknown, others: readonly PayloadCodec[]): string | undefined {
  if (!Array.isArray(mediaTypes)) return 'needs `mediaTypes`, a list';
  for (const type of mediaTypes as readonly unknown[]) {
    if (typeof type !== 'string' || !MEDIA_TYPE.test(type)) {
      return `names ${JSON.stringify(type)}, which is no media type in lower case and without parameters`;
    }
    const taken = isOwnMediaType(type) || others.some((other) => other.mediaTypes.includes(type));
    if (taken) return `names the media type ${type}, which is another format's`;
  }
  return new Set(mediaTypes).size < mediaTypes.length ? 'names a media type twice' : undefined;
}

function faultOfContentFormat(
  contentFormat: unknown,
  mediaTypes: unknown,
  others: readonly PayloadCodec[],
): string | undefined {
  if (contentFormat === undefined) {
    return (mediaTypes as readonly string[]).length === 0 ? 'needs a media type or a `contentFormat`' : undefined;
  }
  const number = Number.isInteger(contentFormat) ? (contentFormat as number) : -1;
  if (number < 0 || number > MAX_CONTENT_FORMAT) {
    return `needs a \`contentFormat\` from 0 to ${MAX_CONTENT_FORMAT}, or none`;
  }
  const taken = OWN_CONTENT_FORMATS.has(number) || others.some((other) => other.contentFormat === number);
  return taken ? `names the Content-Format ${number}, which is another format's` : undefined;
}

function faultOfKinds(kinds: unknown): string | undefined {
  if (kinds === undefined) return undefined;
  const isList = Array.isArray(kinds) && kinds.length > 0 && kinds.every((kind) => PAYLOAD_KINDS.includes(kind));
  return isList ? undefined : `needs \`kinds\` out of ${PAYLOAD_KINDS.join(', ')}, or none`;
}
