import { readCborNode } from '../cbor/read-cbor';
import { writeCbor } from '../cbor/write-cbor';
import { CodecFormat } from '../format/codec-format';
import type { DeviceMessage } from '../format/device-message';
import { jsonText } from '../format/json-format';
import type { PayloadAbout, PayloadCodec, PayloadKind } from '../format/payload-codec';
import type { JsonNode } from '../json-node';
import { readJsonOf, readOwnJson } from '../json-reader';
import { cborKeyOf, labelOf } from './labels';
import { attributesOfPack, telemetryOfPack } from './read-pack';
import { TOO_MANY_RECORDS } from './resolve';
import { packOf } from './write-pack';

/** SenML measures: it has no way to say a command. */
const KINDS: readonly PayloadKind[] = ['telemetry', 'attributes', 'update'];

const bodyOf = (pack: JsonNode, { kind, now }: PayloadAbout): string =>
  kind === 'telemetry' ? telemetryOfPack(pack, now) : attributesOfPack(pack);

/** RFC 8428 section 5. `encode` takes the pack in JSON. */
export const SENML_JSON: PayloadCodec = {
  name: 'senml+json',
  mediaTypes: ['application/senml+json'],
  contentFormat: 110,
  kinds: KINDS,
  decode: (bytes, about) => bodyOf(readJsonOf(bytes.toString('utf8'), TOO_MANY_RECORDS), about),
  encode: (pack) => Buffer.from(pack),
};

/** RFC 8428 section 6. `encode` takes the pack in JSON. */
export const SENML_CBOR: PayloadCodec = {
  name: 'senml+cbor',
  mediaTypes: ['application/senml+cbor'],
  contentFormat: 112,
  kinds: KINDS,
  decode: (bytes, about) => bodyOf(readCborNode(bytes, { integerName: labelOf, tooMany: TOO_MANY_RECORDS }), about),
  encode: (pack) => writeCbor(readOwnJson(pack), { integerKey: cborKeyOf }),
};

/** What a device reads and is told are packs as well: the two scopes under base names, changes without. */
export class SenmlFormat extends CodecFormat {
  protected override text(message: DeviceMessage): string {
    switch (message.kind) {
      case 'attributes':
        return packOf([
          { baseName: 'client/', entries: message.client },
          { baseName: 'shared/', entries: message.shared },
        ]);
      case 'update':
        return packOf([{ entries: message.updated, deleted: message.deleted }]);
      default:
        return jsonText(message);
    }
  }
}
