import { readFileSync } from 'node:fs';

/** USER_HZ: the unit of the times in /proc; 100 on every Linux architecture Node runs on (man 5 proc). */
const TICKS_PER_SECOND = 100;

/** CPU time used so far by all threads of a process, in microseconds; the kernel counts in steps of 10 ms. */
export function cpuMicrosOf(pid: number): number {
  return parseCpuMicros(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** Anonymous resident memory in bytes: heap and stacks, without files mapped by lmdb. */
export function anonymousBytesOf(pid: number): number {
  return parseAnonymousBytes(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

/** utime + stime of a /proc/<pid>/stat line (man 5 proc, fields 14 and 15). */
export function parseCpuMicros(stat: string): number {
  // The command (field 2) stands in parentheses and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) {
    throw new Error(`not a /proc stat line: ${stat}`);
  }
  return (ticks * 1_000_000) / TICKS_PER_SECOND;
}

/** The RssAnon line of /proc/<pid>/status, in bytes. */
export function parseAnonymousBytes(status: string): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(status);
  if (match === null) {
    throw new Error('no RssAnon in /proc status: Linux 4.5 or newer is needed');
  }
  return Number(match[1]) * 1024;
}
