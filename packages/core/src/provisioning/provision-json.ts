import type { CredentialsType } from '../devices/model';
import { badPayload } from '../payload/bad-payload';
import { type JsonNode, JsonObject } from '../payload/json-node';
import { scalarText } from '../payload/scalar-text';
import { credentialsShown, type ProvisionOutcome } from './provision-outcome';
import { CREDENTIALS_TYPES, type ProvisionRequest } from './provision-request';

/**
 * A provisioning request in JSON (contract 5.1): one object, of which all other members are ignored. A number or a boolean
 * stands for its text, as in unquoted keys; null in a named member is malformed, as is an object or an array.
 * @throws TandemError BAD_PAYLOAD, which names the member and never repeats what is in it
 */
export function readProvisionRequest(root: JsonNode): ProvisionRequest {
  if (!(root instanceof JsonObject)) throw badPayload('A provisioning request is a JSON object');
  return {
    deviceName: optional(root, 'deviceName'),
    key: required(root, 'provisionDeviceKey'),
    secret: required(root, 'provisionDeviceSecret'),
    credentialsType: credentialsType(root),
    token: optional(root, 'token'),
    clientId: optional(root, 'clientId'),
    userName: optional(root, 'username'),
    password: optional(root, 'password'),
    hash: optional(root, 'hash'),
    gateway: flag(root, 'gateway'),
  };
}

function text(root: JsonObject, name: string): string | undefined {
  const node = root.get(name);
  if (node === undefined) return undefined;
  const read = scalarText(node);
  if (read === undefined) throw badPayload(`\`${name}\` is not a string`);
  return read;
}

const optional = (root: JsonObject, name: string): string => text(root, name) ?? '';

function required(root: JsonObject, name: string): string {
  const read = text(root, name);
  if (read === undefined) throw badPayload(`\`${name}\` is missing`);
  return read;
}

function credentialsType(root: JsonObject): CredentialsType {
  const name = text(root, 'credentialsType');
  if (name === undefined) return 'ACCESS_TOKEN';
  const type = CREDENTIALS_TYPES.find((known) => known === name);
  if (!type) throw badPayload(`\`credentialsType\` is none of ${CREDENTIALS_TYPES.join(', ')}`);
  return type;
}

function flag(root: JsonObject, name: string): boolean {
  const node = root.get(name);
  if (node === undefined) return false;
  const read = scalarText(node)?.toLowerCase();
  if (read !== 'true' && read !== 'false') throw badPayload(`\`${name}\` is not a boolean`);
  return read === 'true';
}

const NOT_FOUND = JSON.stringify({ errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' });
const FAILURE = JSON.stringify({ errorMsg: 'Failed to provision device!', status: 'FAILURE' });

/** Exactly the members of contract 5.5: strict clients check them. */
export function renderProvisionOutcome(outcome: ProvisionOutcome): string {
  if (outcome.status !== 'SUCCESS') return outcome.status === 'FAILURE' ? FAILURE : NOT_FOUND;
  const { credentialsType: type } = outcome.credentials;
  const shown = credentialsShown(outcome.credentials);
  // What belongs to MQTT is an object, and stored as such.
  const value = type === 'MQTT_BASIC' ? shown : JSON.stringify(shown);
  const member = shown === undefined ? '' : `"credentialsValue":${value},`;
  return `{${member}"credentialsType":"${type}","status":"SUCCESS"}`;
}
