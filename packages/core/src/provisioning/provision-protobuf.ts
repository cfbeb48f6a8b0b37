import { badPayload } from '../payload/bad-payload';
import { Room, WireReader } from '../payload/protobuf/wire-reader';
import { LENGTH_DELIMITED, VARINT } from '../payload/protobuf/wire-types';
import { WireWriter } from '../payload/protobuf/wire-writer';
import { credentialsShown, type ProvisionOutcome } from './provision-outcome';
import { CREDENTIALS_TYPES, type ProvisionRequest } from './provision-request';

const STATUS = { SUCCESS: 1, NOT_FOUND: 2, FAILURE: 3 } as const;
/** Of one message, known or not: many times what there are, and what keeps a stranger's message of empty ones from costing time. */
const MAX_FIELDS = 100;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What a message of strings and messages holds, by the numbers of the fields; of a field that comes twice the last. */
type Fields = ReadonlyMap<number, Buffer | number>;

/**
 * `ProvisionDeviceRequestMsg` of `proto/transport.proto` (contract 4.5). Fields that are not known are skipped.
 * @throws TandemError BAD_PAYLOAD for bytes that are no such message
 */
export function decodeProvisionRequest(bytes: Buffer): ProvisionRequest {
  try {
    const request = fieldsOf(bytes, { strings: [1, 3, 4], numbers: [2, 5] });
    const credentials = message(request, 3, [1, 2]);
    const data = message(request, 4, [1, 2, 3]);
    const mqtt = message(data, 3, [1, 2, 3]);
    const credentialsType = CREDENTIALS_TYPES[number(request, 2)];
    if (!credentialsType) throw new Error('unknown credentials type');
    return {
      deviceName: string(request, 1),
      key: string(credentials, 1),
      secret: string(credentials, 2),
      credentialsType,
      token: string(message(data, 1, [1]), 1),
      hash: string(message(data, 2, [1]), 1),
      clientId: string(mqtt, 1),
      userName: string(mqtt, 2),
      password: string(mqtt, 3),
      gateway: number(request, 5) !== 0,
    };
  } catch {
    throw badPayload('Neither JSON nor a ProvisionDeviceRequestMsg');
  }
}

/** `ProvisionDeviceResponseMsg`; zero values are not on the wire. */
export function encodeProvisionOutcome(outcome: ProvisionOutcome): Buffer {
  const writer = new WireWriter();
  writer.varintField(1, STATUS[outcome.status]);
  if (outcome.status === 'SUCCESS') {
    const type = CREDENTIALS_TYPES.indexOf(outcome.credentials.credentialsType);
    if (type > 0) writer.varintField(2, type);
    const shown = credentialsShown(outcome.credentials);
    if (shown) writer.bytesField(3, shown);
  }
  return writer.finish();
}

function fieldsOf(bytes: Buffer, known: { strings: readonly number[]; numbers: readonly number[] }): Fields {
  const reader = new WireReader(bytes, new Room(MAX_FIELDS, 'too many fields'));
  const fields = new Map<number, Buffer | number>();
  while (!reader.done) {
    const tag = reader.tag();
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (wireType === LENGTH_DELIMITED && known.strings.includes(field)) fields.set(field, reader.chunk());
    else if (wireType === VARINT && known.numbers.includes(field)) {
      reader.varint();
      fields.set(field, reader.low);
    } else reader.skip(tag);
  }
  return fields;
}

function message(fields: Fields, field: number, strings: readonly number[]): Fields {
  const bytes = fields.get(field);
  return typeof bytes === 'object' ? fieldsOf(bytes, { strings, numbers: [] }) : new Map();
}

function string(fields: Fields, field: number): string {
  const bytes = fields.get(field);
  return typeof bytes === 'object' ? UTF8.decode(bytes) : '';
}

function number(fields: Fields, field: number): number {
  const value = fields.get(field);
  return typeof value === 'number' ? value : 0;
}
