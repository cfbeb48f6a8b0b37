/** The integers that stand for labels in SenML's CBOR form (RFC 8428 section 6, table 4). */
const CBOR_LABELS: readonly (readonly [label: string, key: number])[] = [
  ['bver', -1],
  ['bn', -2],
  ['bt', -3],
  ['bu', -4],
  ['bv', -5],
  ['bs', -6],
  ['n', 0],
  ['u', 1],
  ['v', 2],
  ['vs', 3],
  ['vb', 4],
  ['s', 5],
  ['t', 6],
  ['ut', 7],
  ['vd', 8],
];

const KEYS: ReadonlyMap<string, number> = new Map(CBOR_LABELS);
const LABELS: ReadonlyMap<number | bigint, string> = new Map(CBOR_LABELS.map(([label, key]) => [key, label]));

export const cborKeyOf = (label: string): number | undefined => KEYS.get(label);
export const labelOf = (key: number | bigint): string | undefined => LABELS.get(key);
