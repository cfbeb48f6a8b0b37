import { TandemError } from '../../errors';
import { keyFault } from '../../payload/index';
import { isStorableText, STORABLE_SENTENCE } from '../storable-text';

/** What a column of a device list can hold; names are ThingsBoard's, which has no pre-shared keys. */
export const IMPORT_COLUMN_TYPES = [
  'NAME',
  'TYPE',
  'LABEL',
  'DESCRIPTION',
  'IS_GATEWAY',
  'ACCESS_TOKEN',
  'X509',
  'PSK_IDENTITY',
  'PSK_KEY',
  'SHARED_ATTRIBUTE',
  'SERVER_ATTRIBUTE',
  'TIMESERIES',
] as const;
export type ImportColumnType = (typeof IMPORT_COLUMN_TYPES)[number];

export interface ImportColumn {
  readonly type: ImportColumnType;
  /** Of an attribute or a time series. */
  readonly key?: string | null;
}

const KEYED: readonly ImportColumnType[] = ['SHARED_ATTRIBUTE', 'SERVER_ATTRIBUTE', 'TIMESERIES'];

/** In characters; of a name and a token others say so. */
const MAX_LENGTHS: Partial<Record<ImportColumnType, number>> = { TYPE: 255, LABEL: 255 };

/** What a row says, by what its columns are. Empty values say nothing. */
export interface RowContent {
  readonly fields: ReadonlyMap<ImportColumnType, string>;
  /** Key -> text, for each kind of column that has a key. */
  readonly values: ReadonlyMap<ImportColumnType, ReadonlyMap<string, string>>;
}

/** Which column of a device list is what. */
export class ImportMapping {
  /** @throws TandemError BAD_REQUEST for columns that make no sense in any row */
  constructor(private readonly columns: readonly ImportColumn[]) {
    for (const [n, column] of columns.entries()) requireUsable(column, `Column ${n + 1}`);
    for (const type of IMPORT_COLUMN_TYPES) {
      const same = columns.filter((column) => column.type === type);
      const names = new Set(same.map(({ key }) => (KEYED.includes(type) ? key : type)));
      if (names.size < same.length) throw refused(`There are two columns for the same ${type}`);
    }
    if (!columns.some(({ type }) => type === 'NAME')) throw refused('There is no column of type NAME');
  }

  /** @throws TandemError BAD_REQUEST for a row with more values than there are columns, or one that cannot be stored */
  read(row: readonly string[]): RowContent {
    if (row.length > this.columns.length) {
      throw refused(`${row.length} values, but ${this.columns.length} columns`);
    }
    const fields = new Map<ImportColumnType, string>();
    const values = new Map<ImportColumnType, Map<string, string>>();
    for (const [n, { type, key }] of this.columns.entries()) {
      const text = row[n] ?? '';
      if (text === '') continue;
      requireStorable(type, text);
      if (!KEYED.includes(type)) fields.set(type, text);
      else values.set(type, (values.get(type) ?? new Map()).set(key ?? '', text));
    }
    return { fields, values };
  }
}

function requireStorable(type: ImportColumnType, text: string): void {
  if (!isStorableText(text)) throw refused(`${type} ${STORABLE_SENTENCE}`);
  const max = MAX_LENGTHS[type];
  if (max !== undefined && text.length > max) throw refused(`${type} is longer than ${max} characters`);
}

function requireUsable({ type, key }: ImportColumn, name: string): void {
  if (!KEYED.includes(type)) return;
  if (!key || key.trim() === '') throw refused(`${name}: a column of type ${type} needs a key`);
  if (!isStorableText(key)) throw refused(`${name}: the key ${STORABLE_SENTENCE}`);
  const fault = keyFault(key);
  if (fault !== undefined) throw refused(`${name}: the key ${fault}`);
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
