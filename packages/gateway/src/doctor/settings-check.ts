import { nearest, SETTINGS, type Setting, type SettingName, type Settings } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import { misspelt, misspeltNames } from '../settings/misspelt-names';
import { loadSettings, settingsSources } from '../settings/settings-file';
import { type Finding, fail, ok, warn } from './finding';

export interface CheckedSettings {
  /** Undefined where they are wrong. */
  readonly settings: Settings | undefined;
  readonly findings: readonly Finding[];
}

/** The settings, read as `tandem serve` reads them; what is wrong, and where each wrong one comes from. */
export function checkSettings(environment: NodeJS.ProcessEnv, file: string | undefined): CheckedSettings {
  const typos = typosIn(environment);
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

const typosIn = (environment: NodeJS.ProcessEnv): Finding[] =>
  misspeltNames(environment).map(([name, setting]) =>
    warn('settings', misspelt(name), `If ${setting} is meant, write that.`),
  );
