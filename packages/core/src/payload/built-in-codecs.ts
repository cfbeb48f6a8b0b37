import { CBOR } from './cbor/cbor-codec';
import { CodecFormat, type CodecPorts } from './format/codec-format';
import { CodecFormats } from './format/codec-formats';
import { JsonFormat } from './format/json-format';
import type { PayloadCodec } from './format/payload-codec';
import { SENML_CBOR, SENML_JSON, SenmlFormat } from './senml/senml-format';
import type { PayloadSettings } from './typing';

/** What every gateway understands beside JSON and the schemas of profiles. */
export const BUILT_IN_CODECS: readonly PayloadCodec[] = [CBOR, SENML_JSON, SENML_CBOR];

/** @param own codecs of which no name is one of the built-in ones' */
export function makeCodecFormats(
  settings: PayloadSettings,
  own: readonly PayloadCodec[],
  ports: CodecPorts,
): CodecFormats {
  const json = new JsonFormat({ ...settings, floats: true });
  return new CodecFormats([
    new CodecFormat(CBOR, json, ports),
    new SenmlFormat(SENML_JSON, json, ports),
    new SenmlFormat(SENML_CBOR, json, ports),
    ...own.map((codec) => new CodecFormat(codec, json, ports)),
  ]);
}
