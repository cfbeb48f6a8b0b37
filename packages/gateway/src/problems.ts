import { SettingsError } from '@tandem/core';

/** What stops the command, one line for each thing. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof SettingsError) return error.problems;
  return [(error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')];
}
