import type { Settings } from '@tandem/core';
import { askReady, readyUrl } from '../health-check';
import { type Finding, fail, ok, warn } from './finding';
import { nameOf, type Owner, ownerOfPort } from './sockets';

/** A gateway that serves with these settings already. */
export interface RunningGateway {
  /** Undefined where the system does not tell. */
  readonly owner: Owner | undefined;
  readonly finding: Finding;
}

/** Long enough for a gateway under load, short enough for whoever waits for the doctor. */
const DEADLINE = 4_000;

/** Asks the metrics port whether a gateway is there, and how it is. */
export async function findRunningGateway(settings: Settings): Promise<RunningGateway | undefined> {
  const { TANDEM_METRICS_ADDRESS, TANDEM_METRICS_PORT } = settings;
  if (TANDEM_METRICS_PORT === 0) return undefined;
  const url = readyUrl({ TANDEM_METRICS_ADDRESS, TANDEM_METRICS_PORT: String(TANDEM_METRICS_PORT) });
  if (!(await isTandem(url.replace(/readyz$/, 'metrics')))) return undefined;
  const { ready, text } = await askReady(url, DEADLINE);
  const owner = ownerOfPort('tcp', TANDEM_METRICS_PORT);
  const who = owner ? nameOf(owner) : `TANDEM_METRICS_PORT ${TANDEM_METRICS_PORT}`;
  if (ready) return { owner, finding: ok('gateway', `runs already, and is ready: ${who}`) };
  return { owner, finding: notReady(who, text) };
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
