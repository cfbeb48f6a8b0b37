import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process, as far as /proc tells of it. */
export interface Owner {
  readonly pid: number;
  /** Its command line, short. Arguments of a process can be secrets: the program and its first argument. */
  readonly command: string;
}

export const nameOf = ({ pid, command }: Owner): string => `process ${pid} (${command})`;

/** Whether they are one, or one was started by the other, as workers are: they share sockets. */
export const areOneProgram = (one: Owner, other: Owner): boolean =>
  one.pid === other.pid || parentOf(one.pid) === other.pid || parentOf(other.pid) === one.pid;

/** Behind the name of the program, which stands in brackets and may have any letters in it, come its state and its parent. */
function parentOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
  return parent > 0 ? parent : undefined;
}

/** Who listens on a port. Undefined where the system does not tell: on anything but Linux, or of other users' processes. */
export function ownerOfPort(protocol: 'tcp' | 'udp', port: number): Owner | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = [protocol, `${protocol}6`].flatMap((table) =>
    rows(`/proc/net/${table}`)
      // Of TCP those alone that listen: 0A.
      .filter((cells) => cells[1]?.endsWith(suffix) && (protocol === 'udp' || cells[3] === '0A'))
      .map((cells) => cells[9]),
  );
  return ownerOf(inodes);
}

/** Who listens on a socket of Linux's abstract namespace. */
export function ownerOfAbstractSocket(name: string): Owner | undefined {
  return ownerOf(
    rows('/proc/net/unix')
      // Where the name is shorter than its place, zeros fill that, which are shown as `@` as well.
      .filter((cells) => cells[7]?.replace(/@+$/, '') === `@${name}`)
      .map((cells) => cells[6]),
  );
}

function rows(table: string): string[][] {
  return read(table)
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/));
}

function ownerOf(inodes: readonly (string | undefined)[]): Owner | undefined {
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (wanted.size === 0) return undefined;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    const folder = `/proc/${pid}/fd`;
    if (list(folder).some((descriptor) => wanted.has(target(`${folder}/${descriptor}`)))) {
      const [program = '', first = ''] = read(`/proc/${pid}/cmdline`).split('\0');
      return { pid: Number(pid), command: [program, first].filter(Boolean).join(' ').slice(0, 100) || 'unknown' };
    }
  }
  return undefined;
}

/** A process may end, or be somebody else's, at any moment: then there is nothing to see. */
function orNothing<T>(look: () => T, nothing: T): T {
  try {
    return look();
  } catch {
    return nothing;
  }
}

const read = (file: string): string => orNothing(() => readFileSync(file, 'utf8'), '');
const list = (folder: string): string[] => orNothing(() => readdirSync(folder), []);
const target = (link: string): string => orNothing(() => readlinkSync(link), '');
