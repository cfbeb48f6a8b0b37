import { TandemError } from '../errors';
import { badPayload, cannotParseValue } from './bad-payload';
import { JsonNumber, JsonObject, renderNode } from './json-node';
import { type JsonDocument, readJson, readJsonDocument } from './json-reader';

export interface RpcReply {
  /** Compact JSON with the numbers as they were written, or the text as it came. */
  readonly text: string;
  readonly isJson: boolean;
}

/**
 * What a device answers to a server-side RPC (contract 2.5.3, 3.8).
 * @param shape `any`: every text is taken, and a word without quotes is no JSON; `object`: a JSON object only
 * @throws TandemError BAD_PAYLOAD when the shape is `object` and the text is something else
 */
export function parseRpcReply(source: Buffer | string, shape: 'any' | 'object'): RpcReply {
  const text = source.toString();
  if (shape === 'object') {
    const root = readJson(text);
    if (!(root instanceof JsonObject)) throw cannotParseValue(root);
    return { text: renderNode(root), isJson: true };
  }
  const document = readIfJson(text);
  if (document === undefined || document.bareWord) return { text, isJson: false };
  return { text: renderNode(document.root), isJson: true };
}

function readIfJson(text: string): JsonDocument | undefined {
  try {
    return readJsonDocument(text);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return undefined;
    throw error;
  }
}

export interface ParsedClientRpc {
  readonly method: string;
  /** Compact JSON; `null` where the device gave none. */
  readonly params: string;
}

/**
 * A device's own command, `{"method":"m","params":...}`; other members are ignored (contract 2.5.4, 3.8).
 * @throws TandemError BAD_PAYLOAD
 */
export function parseClientRpc(
  source: Buffer | string,
  { paramsRequired }: { readonly paramsRequired: boolean },
): ParsedClientRpc {
  const root = readJson(source.toString());
  if (!(root instanceof JsonObject)) throw cannotParseValue(root);
  const method = root.get('method');
  const params = root.get('params');
  if (params === undefined && paramsRequired) throw badPayload('`params` is missing');
  return { method: methodName(method), params: renderNode(params ?? null) };
}

function methodName(method: ReturnType<JsonObject['get']>): string {
  if (typeof method === 'string') return method;
  if (method instanceof JsonNumber) return method.text;
  if (typeof method === 'boolean' || typeof method === 'number') return String(method);
  throw badPayload(method === undefined ? '`method` is missing' : '`method` is not a string');
}
