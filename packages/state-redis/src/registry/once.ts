import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { Table } from './tables';

const ONCE = loadScript('registry-once');

/** The text of a field; `text` where it had none, and then for everybody. */
export const makeOnce = (commands: Commands, keys: Keys, table: Table, field: string, text: string): Promise<string> =>
  commands.write<string>(ONCE, [keys.registry(table)], [field, text]);
