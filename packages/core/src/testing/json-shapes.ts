/** The vectors of contract 8.2, which both transports have to answer alike. */

/** Stands for a timestamp the gateway gives. */
export const now = 'server time';
export type Stored = Readonly<Record<string, readonly [ts: number | typeof now, value: string]>>;

/** Undefined: 400 / 4.00 and nothing stored. */
export const TELEMETRY_SHAPES: readonly [vector: string, body: string, stored: Stored | undefined][] = [
  ['TV-031', '{"key1":"value1","key2":"value2"}', { key1: [now, '"value1"'], key2: [now, '"value2"'] }],
  ['TV-032', '[{"key1":"value1"},{"key2":true}]', { key1: [now, '"value1"'], key2: [now, 'true'] }],
  [
    'TV-033',
    '{"ts":1451649600512,"values":{"key1":"value1","key2":"value2"}}',
    { key1: [1451649600512, '"value1"'], key2: [1451649600512, '"value2"'] },
  ],
  ['TV-034', '[{"ts":1000,"values":{"a":1}},{"ts":2000,"values":{"a":2}}]', { a: [2000, '2'] }],
  ['TV-035', '[{"a":1},{"ts":2000,"values":{"b":2}}]', { a: [now, '1'], b: [2000, '2'] }],
  ['TV-036', '{"ts":1000,"values":{"a":1},"b":2}', { a: [1000, '1'] }],
  ['TV-037', '{"ts":1000,"a":1}', { ts: [now, '1000'], a: [now, '1'] }],
  ['TV-038', '{"values":{"a":1}}', { values: [now, '{"a":1}'] }],
  ['TV-039', '{"ts":"1451649600512","values":{"a":1}}', { a: [1451649600512, '1'] }],
  ['TV-040', '{"ts":1451649600512.9,"values":{"a":1}}', { a: [1451649600512, '1'] }],
  ['TV-041', '{"ts":1.451649600512e12,"values":{"a":1}}', { a: [1451649600512, '1'] }],
  ['TV-042', '{"ts":0,"values":{"a":1}}', { a: [0, '1'] }],
  ['TV-043', '{"ts":-1,"values":{"a":1}}', { a: [-1, '1'] }],
  ['TV-044', '{"ts":"abc","values":{"a":1}}', undefined],
  ['TV-045', '{"ts":"1.5","values":{"a":1}}', undefined],
  ['TV-046', '{"ts":null,"values":{"a":1}}', undefined],
  ['TV-047', '{"ts":true,"values":{"a":1}}', undefined],
  ['TV-048', '{"ts":1000,"values":[1]}', undefined],
  ['TV-049', '{"ts":1000,"values":5}', undefined],
  ['TV-050', '{"ts":1000,"values":{}}', {}],
  ['TV-051', '{}', {}],
  ['TV-052', '[{}]', {}],
  ['TV-053', '[]', {}],
  ['TV-054', '[1]', undefined],
  ['TV-055', '[null]', undefined],
  ['TV-056', '[[{"a":1}]]', undefined],
  ['TV-057', '[{"a":1},5]', undefined],
  ['TV-058', '"hello"', undefined],
  ['TV-059', 'hello', undefined],
  ['TV-060', '42', undefined],
  ['TV-061', 'null', undefined],
  ['TV-062', '{"a":', undefined],
  ['TV-063', '{"a":1}x', undefined],
  ['TV-064', '{"a":1,}', undefined],
  ['TV-065', '[{"a":1},]', undefined],
  ['TV-066', '   ', undefined],
];

/** Client attributes. Undefined: 400 / 4.00 and nothing stored. */
export const ATTRIBUTE_SHAPES: readonly [
  vector: string,
  body: string,
  stored: Readonly<Record<string, string>> | undefined,
][] = [
  ['TV-067', '[{"a":1}]', undefined],
  ['TV-068', '{}', {}],
  ['TV-069', '{"ts":5,"values":{"a":1}}', { ts: '5', values: '{"a":1}' }],
  [
    'TV-070',
    '{"attribute1":"value1","attribute2":true,"attribute3":42.0,"attribute4":73,"attribute5":{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}}',
    {
      attribute1: '"value1"',
      attribute2: 'true',
      attribute3: '42.0',
      attribute4: '73',
      attribute5: '{"someNumber":42,"someArray":[1,2,3],"someNestedObject":{"key":"value"}}',
    },
  ],
];

/** What is stored, with `now` in place of each timestamp between `before` and `after`. */
export function withServerTime(
  stored: Readonly<Record<string, { readonly ts: number; readonly value: string }>>,
  before: number,
  after: number,
): Stored {
  const shown = Object.entries(stored).map(([key, { ts, value }]) => [
    key,
    [ts >= before && ts <= after ? now : ts, value],
  ]);
  return Object.fromEntries(shown);
}
