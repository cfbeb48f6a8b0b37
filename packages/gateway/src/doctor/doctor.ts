import { problemsOf } from '../logging/problems';
import { checkCertificates } from './certificates';
import { checkCodecs } from './codecs';
import { checkDataFolder, checkPasswordFolder } from './data-folder';
import { type Finding, fail, type Level } from './finding';
import { checkClock, checkDtls, checkMachine } from './machine';
import { checkNode } from './node-version';
import { checkPorts } from './ports';
import { checkRedis } from './redis';
import { findRunningGateway } from './running-gateway';
import { checkLogins, checkSecretKeys } from './secrets';
import { checkSettings } from './settings-check';
import { checkStoreKeys } from './store-keys';
import { checkWebhook } from './webhook';

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Whether everything was looked at; without right settings nobody knows what to look at. */
  readonly complete: boolean;
}

/**
 * Looks at everything a start of `tandem serve` with these settings would need. Changes nothing: no file, no key in Redis; ports are
 * bound for a moment.
 */
export async function examine(environment: NodeJS.ProcessEnv, file: string | undefined): Promise<Diagnosis> {
  const now = Date.now();
  const { settings, findings } = checkSettings(environment, file);
  const first = [checkNode(process.versions.node), checkClock(now), ...findings];
  if (!settings) return { findings: first, complete: false };
  const running = await findRunningGateway(settings);
  const rest = await Promise.all([
    running ? [running.finding] : [],
    looked('store', () => (settings.REDIS_URL ? checkRedis(settings) : checkDataFolder(settings, running))),
    looked('data folder', () => checkPasswordFolder(settings)),
    looked('ports', () => checkPorts(settings, running)),
    looked('certificates', () => checkCertificates(settings, now)),
    looked('DTLS', () => checkDtls(settings)),
    looked('secrets', () => [...checkSecretKeys(settings), ...checkLogins(settings)]),
    looked('keys of the store', () => checkStoreKeys(settings)),
    looked('payload codecs', () => checkCodecs(settings)),
    looked('machine', () => checkMachine(settings)),
    looked('webhook', () => checkWebhook(settings)),
  ]);
  return { findings: [...first, ...rest.flat()], complete: true };
}

/** A look that fails in a way nobody thought of is a finding as well. */
async function looked(
  about: string,
  look: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return problemsOf(error).map((text) =>
      fail(about, `cannot be looked at: ${text}`, 'Run the doctor as the user who runs the gateway.'),
    );
  }
}

const count = (findings: readonly Finding[], level: Level): number =>
  findings.filter((one) => one.level === level).length;

export const isWell = ({ findings }: Diagnosis): boolean => count(findings, 'fail') === 0;

/** A line each, one more for what to do, and one about all. */
export function render(diagnosis: Diagnosis): string {
  const { findings, complete } = diagnosis;
  const lines = findings.flatMap(({ level, about, text, advice }) => [
    `${level.padEnd(4)}  ${about}: ${text}`,
    ...(advice === undefined ? [] : [`      -> ${advice}`]),
  ]);
  return [...lines, '', summaryOf(count(findings, 'fail'), count(findings, 'warn'), complete)].join('\n');
}

function summaryOf(failures: number, warnings: number, complete: boolean): string {
  const noted = warnings === 0 ? '' : `, ${warnings} to know of`;
  if (failures === 0) return `Nothing is in the way${noted}.`;
  const rest = complete ? '' : ' Nothing else was looked at: put the settings right, and ask again.';
  return `${failures} in the way of tandem serve${noted}.${rest}`;
}
