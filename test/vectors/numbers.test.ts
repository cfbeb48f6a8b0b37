import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from './files';

const range = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, n) => String(first + n).padStart(3, '0'));

/** All vectors of contract section 8. */
const NUMBERS: readonly string[] = [...range(1, 367), '168a'];

it('every vector of the contract has a row', () => {
  const present = Object.values(FILES).flatMap(({ vectors }) => vectors.map(({ no }) => no));
  expect([...new Set(present)].sort()).toEqual([...NUMBERS].sort());
});

it('every row is run on both stores', () => {
  for (const file of Object.keys(FILES)) {
    for (const store of ['embedded', 'redis'])
      expect(existsSync(join(__dirname, `${file}.${store}.test.ts`))).toBe(true);
  }
});
