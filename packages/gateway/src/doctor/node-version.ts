import { type Finding, fail, ok, warn } from './finding';

const OLDEST = [20, 12] as const;
/** From here on a UDP port can be shared by processes of one machine. */
const SHARES_UDP = [22, 12] as const;

/** @param version as `process.versions.node` has it */
export function checkNode(version: string): Finding {
  const about = 'Node.js';
  if (before(version, OLDEST)) {
    return fail(about, `${version} is too old`, `Install ${OLDEST.join('.')} or newer; 24 is what the images have.`);
  }
  const [major = 0] = version.split('.').map(Number);
  // Those with odd numbers end half a year after they begin.
  if (major % 2 === 1) return warn(about, `${version} has no long support`, 'Install an even version, as 24.');
  return ok(
    about,
    before(version, SHARES_UDP) ? `${version}; CoAP over more than one core needs ${SHARES_UDP.join('.')}` : version,
  );
}

function before(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ours = 0, oursMinor = 0] = version.split('.').map(Number);
  return ours < major || (ours === major && oursMinor < minor);
}
