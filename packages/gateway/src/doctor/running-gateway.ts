import type { Settings } from '@tandem/core';
import { askReady, readyUrl } from '../health-check';
import { folderIsHeld, ownerOfFolder } from './data-folder-owner';
import { type Finding, fail, ok, warn } from './finding';
import { doorsOf, isTaken } from './ports';
import { areOneProgram, nameOf, type Owner, ownerOfPort } from './sockets';

/** A gateway that serves with these settings already. */
export interface RunningGateway {
  /** Undefined where the system does not tell. */
  readonly owner: Owner | undefined;
  readonly finding: Finding;
}

/** Long enough for a gateway under load, short enough for whoever waits for the doctor. */
const DEADLINE = 4_000;

/** Asks the metrics port whether a gateway is there, and how it is. One that serves other settings counts for nothing. */
export async function findRunningGateway(settings: Settings): Promise<RunningGateway | undefined> {
  const { TANDEM_METRICS_ADDRESS, TANDEM_METRICS_PORT } = settings;
  if (TANDEM_METRICS_PORT === 0) return undefined;
  const url = readyUrl({ TANDEM_METRICS_ADDRESS, TANDEM_METRICS_PORT: String(TANDEM_METRICS_PORT) });
  if (!(await isTandem(url.replace(/readyz$/, 'metrics')))) return undefined;
  const { ready, text } = await askReady(url, DEADLINE);
  const owner = ownerOfPort('tcp', TANDEM_METRICS_PORT);
  if (!(await servesThese(settings, owner, ready))) return undefined;
  const who = owner ? nameOf(owner) : `TANDEM_METRICS_PORT ${TANDEM_METRICS_PORT}`;
  if (ready) return { owner, finding: ok('gateway', `runs already, and is ready: ${who}`) };
  return { owner, finding: notReady(who, text) };
}

/** Whether the gateway on the metrics port is that of these settings: it has their data folder open, or their ports. */
async function servesThese(settings: Settings, gateway: Owner | undefined, ready: boolean): Promise<boolean> {
  const isIts = (owner: Owner | undefined) => !gateway || !owner || areOneProgram(owner, gateway);
  if (!settings.REDIS_URL) {
    const folder = settings.TANDEM_DATA_DIR;
    if (!(await folderIsHeld(folder))) return false;
    const holder = ownerOfFolder(folder);
    if (gateway && holder) return isIts(holder);
  }
  const fixed = doorsOf(settings).filter(({ portSetting }) => settings[portSetting] !== 0);
  if (fixed.length === 0) return true;
  const taken: boolean[] = await Promise.all(fixed.map((door) => isTaken(door, settings)));
  const theirs = fixed.filter((_, at) => taken[at]);
  // While it waits for Redis its doors are closed.
  if (theirs.length === 0) return !ready && settings.REDIS_URL !== undefined;
  return theirs.some(({ protocol, portSetting }) => isIts(ownerOfPort(protocol, settings[portSetting])));
}

function notReady(who: string, text: string): Finding {
  const about = `runs already, and says: ${text} (${who})`;
  if (/starting|being opened/.test(text))
    return warn('gateway', about, 'Look again in a moment; its log says how far it is.');
  if (/shutting down|stopping/.test(text)) return warn('gateway', about, 'It ends within ten seconds.');
  return fail('gateway', about, 'Its log tells more; so does what follows about the store.');
}

async function isTandem(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE) });
    return response.ok && (await response.text()).includes('tandem_');
  } catch {
    return false;
  }
}
