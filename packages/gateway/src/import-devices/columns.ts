import type { ImportColumn, ImportColumnType } from '@tandem/core';

const PLAIN: Readonly<Record<string, ImportColumnType>> = {
  name: 'NAME',
  type: 'TYPE',
  label: 'LABEL',
  description: 'DESCRIPTION',
  gateway: 'IS_GATEWAY',
  token: 'ACCESS_TOKEN',
  certificate: 'X509',
  'psk-identity': 'PSK_IDENTITY',
  'psk-key': 'PSK_KEY',
};
const KEYED: Readonly<Record<string, ImportColumnType>> = {
  shared: 'SHARED_ATTRIBUTE',
  server: 'SERVER_ATTRIBUTE',
  timeseries: 'TIMESERIES',
};

/** What the first row of a list can say, for who has to be told. */
export const HEADINGS = `${Object.keys(PLAIN).join(', ')}, ${Object.keys(KEYED)
  .map((kind) => `${kind}:<key>`)
  .join(', ')}`;

/** What the columns of a list are, by its first row. @throws Error that says in one line which of them is not known */
export const columnsOf = (headings: readonly string[]): ImportColumn[] => headings.map(columnOf);

function columnOf(heading: string): ImportColumn {
  const at = heading.indexOf(':');
  const word = (at === -1 ? heading : heading.slice(0, at)).trim().toLowerCase();
  const type = at === -1 ? PLAIN[word] : KEYED[word];
  if (type === undefined) throw new Error(`The column "${heading}" is not known; there are ${HEADINGS}`);
  return at === -1 ? { type } : { type, key: heading.slice(at + 1) };
}
