import type { Clock, Millis } from './clock';
import type { LogFields, Logger } from './logger';

/** Different lines that are remembered; beyond it all are forgotten, and may be written once more. */
const MAX_REMEMBERED = 1_000;

type Level = 'error' | 'warn' | 'info' | 'debug';

/**
 * For what can go wrong thousands of times at once: a line of the same level and message, and of the same fields `by`, as one that was written less than
 * `interval` ago is dropped, and the next one that is written says how many were (`suppressed`).
 */
export function quietLogger(logger: Logger, clock: Clock, interval: Millis, by: readonly string[] = []): Logger {
  const said = new Map<string, { at: Millis; suppressed: number }>();
  const say = (level: Level, message: string, fields: LogFields = {}): void => {
    const kind = [level, message, ...by.map((name) => fields[name])].join(' ');
    const now = clock.monotonic();
    const last = said.get(kind);
    if (last && now - last.at < interval) {
      last.suppressed++;
      return;
    }
    if (!last && said.size >= MAX_REMEMBERED) said.clear();
    said.set(kind, { at: now, suppressed: 0 });
    logger[level](message, last && last.suppressed > 0 ? { ...fields, suppressed: last.suppressed } : fields);
  };
  return {
    error: (message, fields) => say('error', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    info: (message, fields) => say('info', message, fields),
    debug: (message, fields) => say('debug', message, fields),
    get debugEnabled() {
      return logger.debugEnabled;
    },
  };
}
