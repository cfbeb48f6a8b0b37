import { SETTINGS, type Setting } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import { traceProblems } from '../tracing/tracing';
import { misspelt, misspeltNames } from './misspelt-names';
import { loadSettings, settingsSources } from './settings-file';

const all = Object.entries(SETTINGS) as [string, Setting<unknown>][];

/**
 * The settings as this environment gives them, one `NAME=value` a line; secrets are not shown.
 * @throws SettingsError
 */
export function printSettings(file: string | undefined): string {
  loadSettings(process.env, file);
  const sources = settingsSources(process.env, file);
  return all
    .map(([name, setting]) => {
      const given = sources.environment[name] || sources.file[name] || setting.default;
      const secret = given !== '' && (setting.secret || setting.looksSecret?.(given));
      return `${name}=${secret ? '[redacted]' : given}`;
    })
    .join('\n');
}

/** The reference page of all settings, in Markdown. */
export function settingsReference(): string {
  const rows = all.map(([name, { type, unit, default: fallback, doc, planned, secret }]) => {
    const kind = [type, unit, secret && 'secret'].filter(Boolean).join(', ');
    const cells = [`\`${name}\``, kind, fallback === '' ? 'unset' : `\`${fallback}\``];
    return `| ${[...cells, planned ? `${doc} (not available in this version)` : doc].map(escapeCell).join(' | ')} |`;
  });
  return ['| Name | Type | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** The problems with the settings, a line each; empty when there are none. */
export function settingsProblems(file: string | undefined): readonly string[] {
  try {
    loadSettings(process.env, file);
    return traceProblems(process.env);
  } catch (error) {
    return problemsOf(error);
  }
}

/** What is not wrong, but hardly meant, a line each. */
export const settingsDoubts = (environment: NodeJS.ProcessEnv): readonly string[] =>
  misspeltNames(environment).map(([name, setting]) => `${misspelt(name)}; the nearest is ${setting}`);

const escapeCell = (text: string) => text.replaceAll('|', '\\|');
