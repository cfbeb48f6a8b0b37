import { CodecFormat } from './codec-format';
import { mediaRanges, mediaTypeOf, qualityOfType } from './media-types';
import type { PayloadKind } from './payload-codec';
import type { PayloadFormat } from './payload-format';
import { isProtobuf } from './protobuf-format';

/** The formats beside JSON, by the names they have on the wire. What is not known by any of these names is none of them. */
export class CodecFormats {
  readonly #byMediaType: ReadonlyMap<string, CodecFormat>;
  readonly #byContentFormat: ReadonlyMap<number, CodecFormat>;
  /** Most devices name the same with every message: it is taken apart once. */
  #lastHeader = '';
  #lastFormat: CodecFormat | undefined;

  constructor(formats: readonly CodecFormat[]) {
    this.#byMediaType = new Map(
      formats.flatMap((format) => format.codec.mediaTypes.map((type): [string, CodecFormat] => [type, format])),
    );
    this.#byContentFormat = new Map(
      formats.flatMap((format): [number, CodecFormat][] => {
        const { contentFormat } = format.codec;
        return contentFormat === undefined ? [] : [[contentFormat, format]];
      }),
    );
  }

  /** Whether payloads of the kind can be in the format. */
  suits(format: PayloadFormat, kind: PayloadKind): boolean {
    return !(format instanceof CodecFormat) || suited(format, kind) !== undefined;
  }

  /** @param number Content-Format or Accept of CoAP */
  ofContentFormat(number: number, kind: PayloadKind): CodecFormat | undefined {
    return suited(this.#byContentFormat.get(number), kind);
  }

  /** @param header Content-Type */
  ofContentType(header: string, kind: PayloadKind): CodecFormat | undefined {
    if (header !== this.#lastHeader) {
      this.#lastFormat = this.#byMediaType.get(header) ?? this.#byMediaType.get(mediaTypeOf(header));
      this.#lastHeader = header;
    }
    return suited(this.#lastFormat, kind);
  }

  /**
   * What an `Accept` header asks for most; of what it asks for as much, what it names first. A format is chosen by its name
   * only: wildcards stand for what is sent to those who do not ask, and so does a header that leaves nothing; where
   * that is what the header refuses (`q=0`), JSON is.
   * @param usual what is sent to those who do not ask
   * @param schemas what protobuf is for this device, if it is anything
   */
  accepted(
    header: string,
    kind: PayloadKind,
    usual: PayloadFormat,
    json: PayloadFormat,
    schemas?: PayloadFormat,
  ): PayloadFormat {
    const named = (type: string): PayloadFormat | undefined => {
      if (type === json.mediaType) return json;
      return schemas !== undefined && isProtobuf(type) ? schemas : suited(this.#byMediaType.get(type), kind);
    };
    const ranges = mediaRanges(header);
    let best: { readonly format: PayloadFormat; readonly quality: number } | undefined;
    for (const { type, quality } of ranges) {
      if (quality <= (best?.quality ?? 0)) continue;
      const format = named(type);
      if (format !== undefined) best = { format, quality };
    }
    const usualQuality = qualityOfType(usual.mediaType, ranges);
    if (best === undefined) return usualQuality === 0 ? json : usual;
    return best.quality < (usualQuality ?? 0) ? usual : best.format;
  }
}

function suited(format: CodecFormat | undefined, kind: PayloadKind): CodecFormat | undefined {
  const kinds = format?.codec.kinds;
  return kinds === undefined || kinds.includes(kind) ? format : undefined;
}
