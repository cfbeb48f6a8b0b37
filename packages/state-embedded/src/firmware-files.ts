import type { Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TandemError, type Uuid } from '@tandem/core';
import type { FreeSpace } from './free-space';
import type { Transactions } from './transactions';

/** How an upload is called until it is complete. */
const PARTIAL = '.part';
/** So much is written between two looks at the free room: it has to fit into the reserve. */
const LOOK_EVERY = 8_388_608;

/** Files that are kept open: of so many packages blocks of a kilobyte are read without opening and closing for each. */
const MAX_OPEN = 16;

/** The bytes of packages: a file for each in a folder of the store, under a temporary name until all of it is there. */
export class FirmwareFiles {
  readonly #path: string;
  readonly #open = new Set<FileUpload>();
  /** Those that are read, longest open first. */
  readonly #read = new Map<Uuid, FileHandle>();
  #made: Promise<unknown> | undefined;
  #closed = false;

  constructor(
    folder: string,
    private readonly transactions: Pick<Transactions, 'during'>,
    private readonly space: Pick<FreeSpace, 'look'>,
  ) {
    this.#path = join(folder, 'firmware');
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  begin(dataId: Uuid): Promise<FileUpload> {
    return this.transactions.during(async () => {
      await this.#ready();
      const path = join(this.#path, dataId);
      const upload = new FileUpload(await open(path + PARTIAL, 'wx', 0o600), path, this.transactions, this.space, () =>
        this.#open.delete(upload),
      );
      this.#open.add(upload);
      return upload;
    });
  }

  /** Files that are kept open to be read. */
  get kept(): number {
    return this.#read.size;
  }

  /** Undefined when there is no such file. */
  async read(dataId: Uuid, offset: number, length: number): Promise<Buffer | undefined> {
    if (this.#closed) throw closedError();
    // What is kept open is read in the same turn: in another one it could be closed by then.
    const file = this.#read.get(dataId) ?? this.#keepOpen(dataId, await this.#openToRead(dataId));
    if (!file) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  }

  async remove(dataId: Uuid): Promise<void> {
    await unlink(join(this.#path, dataId)).catch(absent);
    await this.#letGo(dataId);
  }

  /** Removes what no package refers to. @returns how many files that were */
  async sweep(referred: ReadonlySet<Uuid>): Promise<number> {
    const entries: Dirent[] = (await readdir(this.#path, { withFileTypes: true }).catch(absent)) ?? [];
    const left = entries.filter((entry) => entry.isFile() && !referred.has(entry.name));
    for (const { name } of left) await unlink(join(this.#path, name)).catch(absent);
    return left.length;
  }

  /** Ends the uploads that are under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((upload) => upload.abort()));
    await Promise.all([...this.#read.keys()].map((dataId) => this.#letGo(dataId)));
  }

  /** Undefined also for one that has been removed since it was opened: it would lie on the disk for as long as it is open. */
  async #openToRead(dataId: Uuid): Promise<FileHandle | undefined> {
    const file = await open(join(this.#path, dataId), 'r').catch(absent);
    if (!file || (await file.stat()).nlink > 0) return file;
    await file.close();
    return undefined;
  }

  /** The one that is kept, which is another one's where two have opened it at the same time. */
  #keepOpen(dataId: Uuid, file: FileHandle | undefined): FileHandle | undefined {
    if (!file) return undefined;
    const kept = this.#read.get(dataId);
    if (kept || this.#closed) {
      void file.close();
      if (this.#closed) throw closedError();
      return kept;
    }
    const [longest] = this.#read.size >= MAX_OPEN ? this.#read.keys() : [];
    if (longest !== undefined) void this.#letGo(longest);
    this.#read.set(dataId, file);
    return file;
  }

  /** Reads that are under way are waited for. */
  async #letGo(dataId: Uuid): Promise<void> {
    const file = this.#read.get(dataId);
    this.#read.delete(dataId);
    await file?.close();
  }

  #ready(): Promise<unknown> {
    this.#made ??= mkdir(this.#path, { recursive: true, mode: 0o700 });
    return this.#made;
  }
}

/** A file that is being written. */
export class FileUpload {
  #size = 0;
  #looked = 0;
  #ended = false;

  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private readonly transactions: Pick<Transactions, 'during'>,
    private readonly space: Pick<FreeSpace, 'look'>,
    private readonly onEnd: () => void,
  ) {}

  get size(): number {
    return this.#size;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.transactions.during(async () => {
      if (this.#ended) throw new TandemError('STORE_UNAVAILABLE', { message: 'The upload is over' });
      this.#size += chunk.length;
      if (this.#size - this.#looked >= LOOK_EVERY) {
        this.#looked = this.#size;
        this.space.look();
      }
      await this.file.writeFile(chunk);
    });
  }

  /**
   * The file is on the disk under its own name: the record that refers to it may be there after a power cut, and the file has to
   * be so as well.
   */
  async finish(): Promise<void> {
    if (this.#ended) throw new TandemError('STORE_UNAVAILABLE', { message: 'The upload is over' });
    this.#end();
    try {
      await this.file.sync().finally(() => this.file.close());
      await rename(this.path + PARTIAL, this.path);
      await syncFolder(dirname(this.path));
    } catch (error) {
      for (const path of [this.path + PARTIAL, this.path]) await unlink(path).catch(absent);
      throw error;
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#end();
    await this.file.close();
    await unlink(this.path + PARTIAL).catch(absent);
  }

  #end(): void {
    this.#ended = true;
    this.onEnd();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A file or folder that is not there is no failure. */
function absent(error: unknown): undefined {
  if ((error as { readonly code?: unknown }).code === 'ENOENT') return undefined;
  throw error;
}

const closedError = () => new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });
