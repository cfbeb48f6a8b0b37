import type { ToldChange } from './commit';

/** An entry of the stream of changes. Entries are numbered from 1, without a hole. */
export interface ChangeEntry {
  readonly number: number;
  /** Id of the process that wrote. */
  readonly by: string;
  /** Id of its commit, by which two entries of one number in two lives of the stream are told apart. */
  readonly commit: string;
  /** Undefined for a kind of a later version. */
  readonly change: ToldChange | undefined;
}

export type RawEntry = readonly [id: string, fields: readonly string[]];

export function parseEntry([id, fields]: RawEntry): ChangeEntry {
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(fields[i] ?? '', fields[i + 1] ?? '');
  return {
    number: Number(id.slice(0, id.indexOf('-'))),
    by: values.get('by') ?? '',
    commit: values.get('commit') ?? '',
    change: changeOf(values.get('kind'), values.get('about') ?? ''),
  };
}

function changeOf(kind: string | undefined, about: string): ToldChange | undefined {
  if (kind === 'profile') return { kind, profileId: about };
  if (kind === 'user') return { kind, userId: about };
  if (kind === 'customer') return { kind, customerId: about };
  if (kind === 'created' || kind === 'device' || kind === 'credentials' || kind === 'deleted') {
    return { kind, deviceId: about };
  }
  return undefined;
}
