import { Reader, Writer } from 'protobufjs/minimal';
import { badPayload } from '../payload/bad-payload';
import { credentialsShown, type ProvisionOutcome } from './provision-outcome';
import { CREDENTIALS_TYPES, type ProvisionRequest } from './provision-request';

const STATUS = { SUCCESS: 1, NOT_FOUND: 2, FAILURE: 3 } as const;
/** What comes before a string of bytes (wire type 2). */
const LENGTH_DELIMITED = 2;
const VARINT = 0;

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
  const writer = Writer.create()
    .uint32((1 << 3) | VARINT)
    .int32(STATUS[outcome.status]);
  if (outcome.status === 'SUCCESS') {
    const type = CREDENTIALS_TYPES.indexOf(outcome.credentials.credentialsType);
    if (type > 0) writer.uint32((2 << 3) | VARINT).int32(type);
    const shown = credentialsShown(outcome.credentials);
    if (shown) writer.uint32((3 << 3) | LENGTH_DELIMITED).bytes(Buffer.from(shown));
  }
  return Buffer.from(writer.finish());
}

function fieldsOf(bytes: Buffer, known: { strings: readonly number[]; numbers: readonly number[] }): Fields {
  const reader = Reader.create(bytes);
  const fields = new Map<number, Buffer | number>();
  for (let count = 1; reader.pos < reader.len; count++) {
    if (count > MAX_FIELDS) throw new Error('too many fields');
    const tag = reader.uint32();
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (field === 0) throw new Error('field number 0');
    if (wireType === LENGTH_DELIMITED && known.strings.includes(field)) {
      fields.set(field, Buffer.from(reader.bytes()));
    } else if (wireType === VARINT && known.numbers.includes(field)) fields.set(field, reader.int32());
    else reader.skipType(wireType);
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
