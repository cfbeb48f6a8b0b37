import { SettingsError } from '@tandem/core';
import { redactText } from './redact-text';

/** What stops the command, one line for each thing; without secrets, since it goes where the log goes. */
export function problemsOf(error: unknown): readonly string[] {
  if (error instanceof SettingsError) return error.problems.map(redactText);
  return [redactText((error instanceof Error ? error.message : String(error)).replaceAll('\n', ' '))];
}
