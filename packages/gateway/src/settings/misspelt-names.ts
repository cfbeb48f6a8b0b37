import { distance, nearest, SETTINGS, type SettingName } from '@tandem/core';

/** Letters by which a name may differ from a setting's before it is taken for another program's. */
const TYPING_ERROR = 2;

/** Names in the environment that nobody reads, and that look as if they were meant for us: each with the setting that may be meant. */
export const misspeltNames = (
  environment: NodeJS.ProcessEnv,
): readonly (readonly [name: string, setting: SettingName])[] =>
  Object.keys(environment)
    .filter((name) => !Object.hasOwn(SETTINGS, name) && !name.startsWith('TANDEM_'))
    .map((name) => [name, nearest(name)] as const)
    .filter(([name, setting]) => setting.length > 2 * TYPING_ERROR && distance(name, setting) <= TYPING_ERROR);

export const misspelt = (name: string): string => `${name} in the environment is no setting, and is not read`;
