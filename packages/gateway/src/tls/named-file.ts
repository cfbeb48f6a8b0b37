import { readFile, stat } from 'node:fs/promises';
import type { TextSetting } from './door-settings';

/** Many times what certificates and keys have, and room for the revoked certificates of a large fleet. */
const MAX_BYTES = 16 * 1_024 * 1_024;

/** What is wrong with a file, in one line that names the setting, the file and what to do. Never a password in it. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
}

/** A file that a setting names, as it was found at one moment. */
export class NamedFile {
  private constructor(
    readonly setting: TextSetting,
    readonly path: string,
    private readonly content: Buffer | string,
  ) {}

  /** Never fails: that it cannot be read is told to who wants to know what is in it. */
  static async read(setting: TextSetting, path: string): Promise<NamedFile> {
    return new NamedFile(setting, path, await contentOf(path));
  }

  /** What is in it, or why it cannot be read: two readings that are alike have seen the same. */
  get seen(): Buffer | string {
    return this.content;
  }

  get isThere(): boolean {
    return typeof this.content !== 'string';
  }

  /** @throws FileProblem when it cannot be read or is empty */
  get bytes(): Buffer {
    if (typeof this.content === 'string') throw this.problem(this.content);
    if (this.content.length === 0) throw this.problem('is empty');
    return this.content;
  }

  /** @throws FileProblem */
  get text(): string {
    return this.bytes.toString('latin1');
  }

  problem(what: string, cause?: unknown): FileProblem {
    return new FileProblem(`${this.setting}: ${this.path} ${what}`, { cause });
  }
}

/** @returns the reason where it cannot be read */
async function contentOf(path: string): Promise<Buffer | string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'is not a file: name the file itself';
    if (found.size > MAX_BYTES) return `has more than ${MAX_BYTES} bytes: it cannot be what the setting means`;
    return await readFile(path);
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
      case 'ENOTDIR':
        return 'is not there: set where the file is';
      case 'EACCES':
      case 'EPERM':
        return 'may not be read by the user of this process: change who owns the file, or its mode';
      default:
        return `cannot be read: ${(error as Error).message}`;
    }
  }
}
