import type { LogFields, Logger } from '@tandem/core';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** Writes into `lines`, those for debugging as well. @param debugEnabled what it says of these to whoever asks before making one */
export function recordingLogger(lines: LogLine[], debugEnabled: boolean): Logger {
  const line = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields });
  return { error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug'), debugEnabled };
}
