import { readFileSync } from 'node:fs';

export type Login = { readonly username: string; readonly password: string } | { readonly apiKey: string };

/** As the command line has them. */
export interface LoginOptions {
  readonly username?: string;
  readonly passwordFile?: string;
  readonly apiKey?: string;
}

/**
 * @param prefix of the options' names, for who has to be told which are missing
 * @throws Error that says in one line what is missing, or why the file cannot be read
 */
export function loginOf({ username, passwordFile, apiKey }: LoginOptions, prefix = ''): Login {
  if (apiKey !== undefined) return { apiKey };
  if (username === undefined || passwordFile === undefined) {
    throw new Error(`Give --${prefix}api-key, or --${prefix}username and --${prefix}password-file`);
  }
  return { username, password: readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '') };
}
