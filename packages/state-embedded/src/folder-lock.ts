import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Another process has the folder open. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

const SOCKET = 'owner.sock';
/** Of a socket, on every system. */
const LONGEST_PATH = 100;

/**
 * One process owns the folder. The lock is a listening socket, so the system gives it back however the process ends. On
 * Linux its name is made of the folder's inode, in the abstract namespace, where no file can be left over; a second
 * socket lies in the folder, because containers that share a volume do not share that namespace.
 * @returns gives the folder back
 * @throws FolderInUseError
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  if (process.platform !== 'linux') return lockBySocketFile(folder, join(folder, SOCKET));
  const unlock = closing(await listenOrRefuse(`\0${abstractName(folder)}`, folder));
  // A socket's path may have about 100 bytes; through the descriptor it is short however deep the folder lies.
  const descriptor = openSync(folder, 'r');
  try {
    const unlockFile = await lockBySocketFile(folder, `/proc/self/fd/${descriptor}/${SOCKET}`);
    return async () => {
      await unlockFile();
      closeSync(descriptor);
      await unlock();
    };
  } catch (error) {
    closeSync(descriptor);
    // Some file systems take no sockets; the abstract one holds within this host.
    if (!(error instanceof FolderInUseError)) return unlock;
    await unlock();
    throw error;
  }
}

/** By this name, behind an `@`, Linux lists the lock in /proc/net/unix. @throws Error when there is no such folder */
export function abstractName(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true });
  return `tandem-${dev}-${ino}`;
}

/** Whether a process has the folder open, found out without taking it. @throws Error when there is no such folder */
export async function folderIsOpen(folder: string): Promise<boolean> {
  if (process.platform === 'linux' && (await answers(`\0${abstractName(folder)}`))) return true;
  const path = join(folder, SOCKET);
  return Buffer.byteLength(path) <= LONGEST_PATH && existsSync(path) && answers(path);
}

async function lockBySocketFile(folder: string, path: string): Promise<() => Promise<void>> {
  try {
    return closing(await listenOrRefuse(path, folder));
  } catch (error) {
    if (!(error instanceof FolderInUseError) || (await answers(path))) throw error;
    // Left over by a process that was killed.
    rmSync(path, { force: true });
    return closing(await listenOrRefuse(path, folder));
  }
}

async function listenOrRefuse(path: string, folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject);
      server.listen(path, () => resolve());
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new FolderInUseError(`Data folder ${folder} is in use by another process`);
  }
  server.unref();
  return server;
}

/** Whether somebody listens there. When in doubt, yes. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(!GONE.has(error.code ?? '')));
  });
}

const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);

const closing = (server: Server) => () => new Promise<void>((resolve) => server.close(() => resolve()));
