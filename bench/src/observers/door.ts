import path from 'node:path';
import type { MetricName } from '@tandem/core';
import { AnsweringProcess } from './answering-process';
import type { DoorQuestion, DoorWrites } from './door-messages';

const HOST = '127.0.0.1';

export interface DoorOptions {
  /** Of the store. */
  readonly dataFolder: string;
  /** Takes its output. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A gateway without its HTTP doors in a process of its own, see door-process.ts. */
export class Door {
  readonly host = HOST;
  readonly #process: AnsweringProcess<DoorQuestion>;

  constructor({ dataFolder, folder, env }: DoorOptions) {
    this.#process = new AnsweringProcess<DoorQuestion>({
      script: 'door-process.js',
      env: { ...env, TANDEM_DATA_DIR: dataFolder, COAP_BIND_ADDRESS: HOST, COAP_BIND_PORT: '0' },
      logFile: path.join(folder, 'door.log'),
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  async create(tokens: readonly string[]): Promise<void> {
    await this.#process.ask({ kind: 'create', tokens });
  }

  /** Returns the port. */
  async serve(): Promise<number> {
    return (await this.#process.ask({ kind: 'serve' })) as number;
  }

  /** Resolves when the store has accepted one write to each of the devices. */
  async write(tokens: readonly string[], value: number): Promise<DoorWrites> {
    return (await this.#process.ask({ kind: 'write', tokens, value })) as DoorWrites;
  }

  /** Throws when there is no such metric. */
  async metric(name: MetricName): Promise<number> {
    const value = await this.#process.ask({ kind: 'metric', name });
    if (typeof value !== 'number') throw new Error(`there is no metric ${name}`);
    return value;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
