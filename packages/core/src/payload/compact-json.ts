import { badPayload, cannotParseValue } from './bad-payload';
import { isJsonArray, JsonObject, renderNode } from './json-node';
import { readJson, readJsonDocument } from './json-reader';

/**
 * The same JSON without white space and leniencies: member order and the numbers' own text stay (`42.0`).
 * @throws TandemError BAD_PAYLOAD when the text is no JSON, blank included
 */
export function compactJson(text: string): string {
  const document = readJsonDocument(text);
  if (document === undefined) throw badPayload('Not JSON: the text is blank');
  return renderNode(document.root);
}

/**
 * The members of an object, each as compact JSON, in their order; of a name that is there twice, the last value. For
 * bodies that hold both plain fields and JSON to be passed on as written, such as that of a server-side RPC.
 * @throws TandemError BAD_PAYLOAD when the text is no JSON object
 */
export function splitJsonObject(source: Buffer | string): Map<string, string> {
  const root = readJson(source.toString());
  if (!(root instanceof JsonObject)) throw cannotParseValue(root);
  return new Map(root.names.map((name, i) => [name, renderNode(root.values[i] ?? null)]));
}

/**
 * The elements of an array, each as compact JSON: for lists whose numbers are to stay as they are written.
 * @throws TandemError BAD_PAYLOAD when the text is no JSON array
 */
export function splitJsonArray(source: Buffer | string): string[] {
  const root = readJson(source.toString());
  if (!isJsonArray(root)) throw cannotParseValue(root);
  return root.map(renderNode);
}
