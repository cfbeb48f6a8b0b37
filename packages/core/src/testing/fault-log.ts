import { type Logger, silentLogger } from '../platform/logger';

/** Keeps the errors that are logged: those whose message is `a listener failed`. */
export class FaultLog {
  readonly faults: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    error: (message, fields) => {
      if (message === 'a listener failed') this.faults.push(String(fields?.error).split('\n')[0] ?? '');
    },
  };
}
