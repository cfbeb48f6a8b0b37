import type { KeyValue } from '../value';
import { quote, valueType } from '../value';
import { isSenmlName } from './resolve';

/** Attributes under a name of their scope, in the order in which they are to stand in the pack. */
export interface PackPart {
  /** In front of every name, as a base name. */
  readonly baseName?: string;
  readonly entries: readonly KeyValue[];
  readonly deleted?: readonly string[];
}

/**
 * Attributes as a SenML pack in JSON:
 *
 * | type         | field | value                               |
 * |--------------|-------|-------------------------------------|
 * | LONG, DOUBLE | `v`   | the number as it stands             |
 * | BOOLEAN      | `vb`  |                                     |
 * | STRING       | `vs`  |                                     |
 * | JSON         | `vs`  | its text: SenML knows no such value |
 * | deleted      | `v`   | null, as in RFC 8790 section 3.2    |
 *
 * An attribute whose key is no SenML name (RFC 8428 section 4.5.1) is left out: one such name, and a reader may refuse all.
 */
export function packOf(parts: readonly PackPart[]): string {
  const records: string[] = [];
  for (const { baseName = '', entries, deleted = [] } of parts) {
    // A base name holds until the next one.
    let base = baseName === '' ? '' : `"bn":${quote(baseName)},`;
    const add = (key: string, field: string) => {
      if (!isSenmlName(baseName + key)) return;
      records.push(`{${base}"n":${quote(key)},${field}}`);
      base = '';
    };
    for (const { key, value } of entries) add(key, fieldOf(value));
    for (const key of deleted) add(key, '"v":null');
  }
  return `[${records.join(',')}]`;
}

function fieldOf(value: KeyValue['value']): string {
  switch (valueType(value)) {
    case 'BOOLEAN':
      return `"vb":${value}`;
    case 'STRING':
      return `"vs":${value}`;
    case 'JSON':
      return `"vs":${quote(value)}`;
    default:
      // RFC 8428 section 5: "e" in lower case.
      return `"v":${value.replace('E', 'e')}`;
  }
}
