import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { more, requireKoffi } from '../openssl/library';

const functions = more({
  ERR_peek_error: 'unsigned long ERR_peek_error()',
  ERR_new: 'void ERR_new()',
  ERR_set_error: 'void ERR_set_error(int lib, int reason, void *fmt)',
});

/** Names of the fields of `struct mallinfo2`, in order: see mallinfo(3). */
const FIELDS = [
  'arena',
  'ordblks',
  'smblks',
  'hblks',
  'hblkhd',
  'usmblks',
  'fsmblks',
  'uordblks',
  'fordblks',
  'keepcost',
];
let mallinfo: (() => { readonly uordblks: number }) | undefined;

/** Bytes that are allocated outside of the heap of JavaScript, by OpenSSL among others, after a collection. */
export function memoryUse(): number {
  const koffi = requireKoffi();
  mallinfo ??= koffi
    .load(null)
    .func('mallinfo2', koffi.struct(Object.fromEntries(FIELDS.map((name) => [name, 'size_t']))), []);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  collect();
  return mallinfo().uordblks;
}

/** The first error that OpenSSL has for whoever asks next; 0: none. */
export const pendingErrors = (): number => Number(functions().ERR_peek_error());

/** Leaves an error of somebody else. */
export function leaveError(): void {
  const [LIBRARY_OF_USERS, REASON] = [128, 100];
  functions().ERR_new();
  functions().ERR_set_error(LIBRARY_OF_USERS, REASON, null);
}
