import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { openRoot } from './environment';
import { lockFolder } from './folder-lock';

/** Folder in the data folder where the file is written anew. */
export const DRAFT = 'compacted';
const FILE = 'data.mdb';

/**
 * Writes the file of the store anew, without the pages that are free: what was replaced or removed can be read in them until
 * they are used again. Nobody may have the folder open; a process that dies meanwhile leaves the file as it was.
 * @throws FolderInUseError; an Error of the file system where there is no room for a second file
 */
export async function compactFolder(folder: string): Promise<void> {
  const unlock = await lockFolder(folder);
  const draft = join(folder, DRAFT);
  try {
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { mode: 0o700 });
    const { root } = openRoot(folder, 'commit');
    try {
      await root.backup(draft, true);
    } finally {
      await root.close();
    }
    const [former, next] = [join(folder, FILE), join(draft, FILE)];
    takeOwner(next, former);
    flush(next);
    renameSync(next, former);
    flush(folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
    await unlock();
  }
}

/**
 * Takes away what a process left that died meanwhile. The folder is the caller's.
 * @returns whether there was some: then the file may stand as it was, with what was replaced in its free pages
 */
export function removeDraft(folder: string): boolean {
  const draft = join(folder, DRAFT);
  const unfinished = existsSync(draft);
  rmSync(draft, { recursive: true, force: true });
  return unfinished;
}

/** Whoever runs this need not be who runs the gateway. */
function takeOwner(file: string, former: string): void {
  const { mode, uid, gid } = statSync(former);
  chmodSync(file, mode);
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) chownSync(file, uid, gid);
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
