import { SETTINGS, type SettingName, type Settings } from './settings';

/** Settings that stop the start: each line names the variable and what is wrong with it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

type Source = Readonly<Record<string, string | undefined>>;

/**
 * An empty value counts as unset.
 * @param environment unknown names that begin with TANDEM_ are refused, others belong to other programs
 * @param file settings of a file: the environment wins over it, and every unknown name is refused
 * @throws SettingsError with all problems at once
 */
export function readSettings(environment: Source, file: Source = {}): Settings {
  const problems = [
    ...unknownNames(Object.keys(environment).filter((name) => name.startsWith('TANDEM_'))),
    ...unknownNames(Object.keys(file)),
  ];
  const settings: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const text = environment[name] || file[name] || setting.default;
    try {
      settings[name] = setting.parse(text);
    } catch (error) {
      problems.push(
        `${name} ${(error as Error).message}${setting.secret || setting.looksSecret?.(text) ? '' : `, not "${text}"`}`,
      );
    }
    if ('planned' in setting && setting.planned && text !== setting.default) {
      problems.push(`${name} is not available in this version`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems);
  const complete = withRedisPassword(settings as Settings);
  refuseUnservedStore(complete);
  refuseWorkersOfOneFolder(complete);
  refuseUnaskedCertificates(complete);
  refuseSharedPorts(complete);
  return complete;
}

/** A password that stands alone can come from where secrets are kept, and needs no `%..`. */
function withRedisPassword(settings: Settings): Settings {
  const { REDIS_URL, REDIS_PASSWORD } = settings;
  if (REDIS_URL === undefined || REDIS_PASSWORD === undefined) return settings;
  return { ...settings, REDIS_URL: { ...REDIS_URL, password: REDIS_URL.password ?? REDIS_PASSWORD } };
}

/** The embedded store has one process: without the materialiser there, what devices send could never be read. */
function refuseUnservedStore({ REDIS_URL, TANDEM_ROLES }: Settings): void {
  if (REDIS_URL !== undefined || TANDEM_ROLES.includes('api')) return;
  throw new SettingsError([
    `TANDEM_ROLES must name api: it carries the materialiser, and the embedded store is open to this process only, not "${TANDEM_ROLES.join(',')}"`,
  ]);
}

function refuseWorkersOfOneFolder({ REDIS_URL, TANDEM_WORKERS }: Settings): void {
  if (REDIS_URL !== undefined || TANDEM_WORKERS === 1) return;
  throw new SettingsError([
    `TANDEM_WORKERS must be 1 without REDIS_URL: the embedded store is open to one process only, not "${TANDEM_WORKERS}"`,
  ]);
}

/** Whoever believes that devices are known by their certificates has to learn that nobody asks for them. */
function refuseUnaskedCertificates({ SSL_ENABLED, TANDEM_SSL_CLIENT_CERTIFICATES }: Settings): void {
  if (SSL_ENABLED || !TANDEM_SSL_CLIENT_CERTIFICATES) return;
  throw new SettingsError(['TANDEM_SSL_CLIENT_CERTIFICATES needs HTTPS: set SSL_ENABLED to true']);
}

/** Two doors on one port: the second would find it taken, and not know that it is by the first. */
function refuseSharedPorts(settings: Settings): void {
  const { TANDEM_ROLES: roles, COAP_ENABLED, COAP_DTLS_ENABLED } = settings;
  const problems: string[] = [];
  if (roles.includes('http') || roles.includes('api')) {
    const { HTTP_BIND_PORT: port, TANDEM_METRICS_PORT: other } = settings;
    const shared = port === other && overlap(settings.HTTP_BIND_ADDRESS, settings.TANDEM_METRICS_ADDRESS);
    if (port !== 0 && shared) problems.push(onePort('HTTP_BIND_PORT', 'TANDEM_METRICS_PORT', port));
  }
  const both = roles.includes('coap') && COAP_ENABLED && (COAP_DTLS_ENABLED || roles.includes('coaps'));
  if (both) {
    const { COAP_BIND_PORT: port, COAP_DTLS_BIND_PORT: other } = settings;
    const shared = port === other && overlap(settings.COAP_BIND_ADDRESS, settings.COAP_DTLS_BIND_ADDRESS);
    if (port !== 0 && shared) problems.push(onePort('COAP_BIND_PORT', 'COAP_DTLS_BIND_PORT', port));
  }
  if (problems.length > 0) throw new SettingsError(problems);
}

const onePort = (one: SettingName, other: SettingName, port: number): string =>
  `${one} and ${other} must not be one port, not both "${port}"`;

const overlap = (one: string, other: string): boolean =>
  one === other || [one, other].some((address) => address === '0.0.0.0' || address === '::');

/** Names that settings had before. */
const RENAMED: Readonly<Record<string, SettingName>> = { TANDEM_REDIS_HISTORY_MAX: 'TANDEM_HISTORY_MAX' };

function unknownNames(names: readonly string[]): string[] {
  return names
    .filter((name) => !Object.hasOwn(SETTINGS, name))
    .map((name) =>
      Object.hasOwn(RENAMED, name)
        ? `${name} is called ${RENAMED[name]} now`
        : `${name} is not a setting; the nearest is ${nearest(name)}`,
    );
}

/** The known name that takes the fewest edits. */
export function nearest(name: string): SettingName {
  const known = Object.keys(SETTINGS) as SettingName[];
  return known.reduce((best, candidate) => (distance(name, candidate) < distance(name, best) ? candidate : best));
}

/** How many letters have to be changed, put in or left out to make one of the other. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
