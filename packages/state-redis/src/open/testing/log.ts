import { type LogFields, type Logger, type RedisAddress, systemClock } from '@tandem/core';
import type { AwaitRedisOptions } from '../await-redis';

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly reason: unknown;
}

/** Keeps its lines, and tells of each one. */
export class Log {
  readonly lines: Line[] = [];
  readonly #listeners = new Set<() => void>();
  readonly logger: Logger;

  constructor() {
    const line = (level: string) => (message: string, fields?: LogFields) => {
      this.lines.push({ level, message, reason: fields?.reason });
      for (const listener of [...this.#listeners]) listener();
    };
    const [error, warn, info, debug] = [line('error'), line('warn'), line('info'), line('debug')];
    this.logger = { error, warn, info, debug, debugEnabled: false };
  }

  get reasons(): unknown[] {
    return this.lines.map(({ reason }) => reason).filter(Boolean);
  }

  get warnings(): string[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }

  /** Resolves with the line that fits. */
  said(pattern: RegExp): Promise<Line> {
    return new Promise((resolve) => {
      const look = () => {
        const line = this.lines.find(({ message, reason }) => pattern.test(`${message} ${reason}`));
        if (!line) return;
        this.#listeners.delete(look);
        resolve(line);
      };
      this.#listeners.add(look);
      look();
    });
  }
}

/** What a gateway asks of a Redis that has nothing special about it. */
export const optionsFor = (
  address: RedisAddress,
  log: Log,
  extra: Partial<AwaitRedisOptions> = {},
): AwaitRedisOptions => ({
  address,
  timeout: 1_000,
  durability: 'process',
  waitReplicas: 0,
  clock: systemClock,
  logger: log.logger,
  ...extra,
});
