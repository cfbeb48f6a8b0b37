import type { Logger } from '@tandem/core';
import { createLogger, format, transports } from 'winston';
import { redact } from './redact';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/**
 * JSON lines on stdout: `timestamp`, `level`, `message` and the fields. Secrets are cut out on the way.
 * @param always fields of every line
 */
export function makeLogger(level: LogLevel, always: object = {}): Logger {
  const logger = createLogger({
    level,
    defaultMeta: always,
    format: format.combine(format.timestamp(), format.json({ replacer: redact })),
    transports: [new transports.Console()],
  });
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    debugEnabled: level === 'debug',
  };
}
