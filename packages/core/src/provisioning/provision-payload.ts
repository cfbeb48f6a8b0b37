import { TandemError } from '../errors';
import type { JsonNode } from '../payload/json-node';
import { readJsonDocument } from '../payload/json-reader';
import { readProvisionRequest, renderProvisionOutcome } from './provision-json';
import type { ProvisionOutcome } from './provision-outcome';
import { decodeProvisionRequest, encodeProvisionOutcome } from './provision-protobuf';
import type { ProvisionRequest } from './provision-request';

/** A request as it came, and what to say to it. */
export interface ReadProvisionRequest {
  readonly request: ProvisionRequest;
  /** JSON text; bytes for a device that speaks protobuf. */
  render(outcome: ProvisionOutcome): string | Buffer;
}

/** In what a request is: `either` where nothing says so. */
export type ProvisionForm = 'json' | 'protobuf' | 'either';

/**
 * Reads a request. What is no JSON is a message of protobuf where it may be `either` (contract 5.7). A word without quotes is
 * none, though a lenient reader takes it for a string: many a message of protobuf reads like one.
 * @throws TandemError BAD_PAYLOAD
 */
export function readProvision(bytes: Buffer, form: ProvisionForm): ReadProvisionRequest {
  if (form === 'protobuf') return inProtobuf(bytes);
  if (form === 'json') return inJson(readJsonDocument(bytes.toString('utf8'))?.root ?? null);
  const json = jsonIn(bytes);
  return json === undefined ? inProtobuf(bytes) : inJson(json);
}

const inJson = (root: JsonNode): ReadProvisionRequest => ({
  request: readProvisionRequest(root),
  render: renderProvisionOutcome,
});

const inProtobuf = (bytes: Buffer): ReadProvisionRequest => ({
  request: decodeProvisionRequest(bytes),
  render: encodeProvisionOutcome,
});

/** Undefined where it is none. */
function jsonIn(bytes: Buffer): JsonNode | undefined {
  try {
    const document = readJsonDocument(bytes.toString('utf8'));
    return document?.bareWord ? undefined : (document?.root ?? null);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return undefined;
    throw error;
  }
}
