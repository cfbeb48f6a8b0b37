import { type Finding, fail, ok, warn } from './finding';

const OLDEST = [20, 12] as const;

/** @param version as `process.versions.node` has it */
export function checkNode(version: string): Finding {
  const about = 'Node.js';
  if (before(version, OLDEST)) {
    return fail(about, `${version} is too old`, `Install ${OLDEST.join('.')} or newer; 24 is what the images have.`);
  }
  const [major = 0] = version.split('.').map(Number);
  // Those with odd numbers end half a year after they begin.
  if (major % 2 === 1) return warn(about, `${version} has no long support`, 'Install an even version, as 24.');
  return ok(about, version);
}

function before(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, oursMinor = 0] = version.split('.').map(Number);
  return ours < major || (ours === major && oursMinor < minor);
}
