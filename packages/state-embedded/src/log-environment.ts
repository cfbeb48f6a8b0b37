import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { dirname, join } from 'node:path';
import type { Logger } from '@tandem/core';
import type { RootDatabase } from 'lmdb';
import { type Durability, type LogTable, openRoot } from './environment';

/**
 * The telemetry log, in a file of its own. With the durability `process` nothing is flushed here: every message passes through, and
 * a flush would be most of what it costs. In exchange the file is not to be trusted after the machine went down without a
 * clean close; it is put aside then, and with it the messages of the last moments that had not reached the view yet
 * (ADR 7).
 */
export interface LogEnvironment {
  readonly root: RootDatabase;
  /** sequence of its last entry -> row of entries, see entry-codec.ts */
  readonly telemetryLog: LogTable;
}

/**
 * In the log's folder while the file is open: the durability it was opened with, and the boot of the machine. It stays where the
 * process was killed, and then the file is sound if every commit was flushed or the machine is still the same.
 */
const MARK = 'open-since-boot';

/** For the process that owns the store: looks whether the file can be trusted, then opens it. */
export function openOwnLog(folder: string, durability: Durability, logger: Logger): LogEnvironment {
  const path = join(folder, 'log');
  const mark = join(path, MARK);
  if (!trusted(mark)) {
    const aside = `${path}.distrusted`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(path, aside);
    logger.error('the machine went down while telemetry was being written: messages of the last moments may be lost', {
      putAside: aside,
    });
  }
  mkdirSync(path, { recursive: true });
  writeThrough(mark, `${durability} ${bootId()}`);
  return openLog(folder, durability);
}

function trusted(mark: string): boolean {
  if (!existsSync(mark)) return true;
  const text = readFileSync(mark, 'utf8');
  return text.startsWith('power ') || text === `process ${bootId()}`;
}

/** The mark has to be on the disk before anything else is: the file and its name in the folder. */
function writeThrough(file: string, text: string): void {
  writeFileSync(file, text, { flush: true });
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** Also for the worker of that process. */
export function openLog(folder: string, durability: Durability): LogEnvironment {
  const { root } = openRoot(join(folder, 'log'), durability === 'power' ? 'commit' : 'none');
  return { root, telemetryLog: root.openDB<string, number>({ name: 'telemetryLog', encoding: 'string' }) };
}

/** After this the file can be trusted whatever happens. Call it when the file is closed. */
export async function settleLog(folder: string): Promise<void> {
  const file = await openFile(join(folder, 'log', 'data.mdb'), 'r+');
  await file.sync();
  await file.close();
  rmSync(join(folder, 'log', MARK), { force: true });
}

/** Names the time since the machine was started; where the system has no name for it, the minute it was started in. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `minute ${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
  }
}
