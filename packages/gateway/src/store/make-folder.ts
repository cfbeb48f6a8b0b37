import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are not there. Level by level: `mkdir` of Node with `recursive` has no end where the system
 * says that what is there is not, as /proc does.
 */
export function makeFolder(folder: string, mode: number): void {
  const missing: string[] = [];
  for (let level = folder; !isThere(level); level = dirname(level)) missing.unshift(level);
  for (const level of missing) {
    try {
      mkdirSync(level, { mode });
    } catch (error) {
      // Another process makes it as well.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  if (!statSync(folder).isDirectory()) throw new Error('it is a file and not a folder');
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
