import { cannotParseValue } from './bad-payload';
import { JsonObject } from './json-node';
import { readJson } from './json-reader';
import { type PayloadSettings, type TypedMembers, typeMembers } from './typing';

/**
 * An attributes body: one object, every member of which is an attribute; `ts` and `values` are names like others
 * (contract 3.3). The server API reads its attribute bodies with it, too.
 * @param source UTF-8; what is not becomes replacement characters
 * @throws TandemError BAD_PAYLOAD
 */
export function parseAttributes(source: Buffer | string, settings: PayloadSettings): TypedMembers {
  const root = readJson(source.toString());
  if (!(root instanceof JsonObject)) throw cannotParseValue(root);
  return typeMembers(root, settings);
}
