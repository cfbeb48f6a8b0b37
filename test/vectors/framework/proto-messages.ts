import { join } from 'node:path';
import { Root } from 'protobufjs';
import { ROOT } from '../../support/gateway-process';

/** The fixed messages and the default schemas as a device knows them: out of the files it is built from. */
const FILES = [
  'transport.proto',
  'transportapi.proto',
  'device/telemetry.proto',
  'device/attributes.proto',
  'device/rpc-request.proto',
  'device/rpc-response.proto',
];
const root = new Root().loadSync(
  FILES.map((file) => join(ROOT, 'proto', file)),
  { keepCase: true },
);

/** @param type `transport.TsKvProto` */
export function encodeMessage(type: string, fields: Readonly<Record<string, unknown>>): Buffer {
  const message = root.lookupType(type);
  return Buffer.from(message.encode(message.fromObject(fields)).finish());
}

/** What the bytes say and nothing that they do not: 64-bit integers as text, enums by name. */
export function decodeMessage(type: string, bytes: Buffer): Record<string, unknown> {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { longs: String, enums: String });
}

/** Bytes as the contract writes them; blanks are for the reader. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
