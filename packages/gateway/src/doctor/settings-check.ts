import { distance, nearest, SETTINGS, type Setting, type SettingName, type Settings } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import { loadSettings, settingsSources } from '../settings/settings-file';
import { type Finding, fail, ok, warn } from './finding';

/** Letters by which a name may differ from a setting's before it is taken for another program's. */
const TYPING_ERROR = 2;

export interface CheckedSettings {
  /** Undefined where they are wrong. */
  readonly settings: Settings | undefined;
  readonly findings: readonly Finding[];
}

/** The settings, read as `tandem serve` reads them; what is wrong, and where each wrong one comes from. */
export function checkSettings(environment: NodeJS.ProcessEnv, file: string | undefined): CheckedSettings {
  const typos = misspelt(environment);
  try {
    const settings = loadSettings(environment, file);
    const sources = settingsSources(environment, file);
    const set = (Object.keys(SETTINGS) as SettingName[]).filter(
      (name) => sources.environment[name] || sources.file[name],
    );
    const list = set.length === 0 ? 'all of them are unset, the defaults hold' : `set: ${set.join(', ')}`;
    return { settings, findings: [ok('settings', `${list}`), ...typos] };
  } catch (error) {
    const findings = problemsOf(error).map((problem) =>
      fail('settings', problem, adviceFor(problem, environment, file)),
    );
    return { settings: undefined, findings: [...findings, ...typos] };
  }
}

/** Where the name was found, and what the setting means that it is or was to be. */
function adviceFor(problem: string, environment: NodeJS.ProcessEnv, file: string | undefined): string {
  const [name = ''] = problem.split(' ');
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) return 'Name a file with lines NAME=value, as in docs/reference/settings.md.';
  const where = environment[name]
    ? 'It is set in the environment'
    : file
      ? `It stands in ${file}`
      : 'It is the default';
  const known = Object.hasOwn(SETTINGS, name) ? (name as SettingName) : nearest(name);
  const { doc, default: fallback }: Setting<unknown> = SETTINGS[known];
  return `${where}. ${known}: ${doc} (unset: ${fallback === '' ? 'nothing' : fallback}).`;
}

/** Names in the environment that nobody reads, and that look as if they were meant for us. */
function misspelt(environment: NodeJS.ProcessEnv): Finding[] {
  return Object.keys(environment)
    .filter((name) => !Object.hasOwn(SETTINGS, name) && !name.startsWith('TANDEM_'))
    .map((name) => [name, nearest(name)] as const)
    .filter(([name, setting]) => setting.length > 2 * TYPING_ERROR && distance(name, setting) <= TYPING_ERROR)
    .map(([name, setting]) =>
      warn(
        'settings',
        `${name} in the environment is no setting, and is not read`,
        `If ${setting} is meant, write that.`,
      ),
    );
}
