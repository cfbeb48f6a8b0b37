import type { LogFields, Logger } from '@tandem/core';

export interface WrittenLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is written. */
export class Lines {
  readonly all: WrittenLine[] = [];
  readonly logger: Logger;

  constructor() {
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}): void =>
        void this.all.push({ level, message, fields });
    this.logger = {
      error: line('error'),
      warn: line('warn'),
      info: line('info'),
      debug: line('debug'),
      debugEnabled: false,
    };
  }

  of(message: RegExp): WrittenLine[] {
    return this.all.filter((line) => message.test(line.message));
  }
}
