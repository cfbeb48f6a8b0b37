import path from 'node:path';
import type { MetricName } from '@tandem/core';
import type { DoorQuestion, DoorWrites } from './door-messages';
import { Helper } from './helper';

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
  readonly #helper: Helper<DoorQuestion>;

  constructor({ dataFolder, folder, env }: DoorOptions) {
    this.#helper = new Helper<DoorQuestion>({
      script: 'door-process.js',
      env: { ...env, TANDEM_DATA_DIR: dataFolder, COAP_BIND_ADDRESS: HOST, COAP_BIND_PORT: '0' },
      logFile: path.join(folder, 'door.log'),
    });
  }

  get pid(): number {
    return this.#helper.pid;
  }

  async create(tokens: readonly string[]): Promise<void> {
    await this.#helper.ask({ kind: 'create', tokens });
  }

  /** Returns the port. */
  async serve(): Promise<number> {
    return (await this.#helper.ask({ kind: 'serve' })) as number;
  }

  /** Resolves when the store has accepted one write to each of the devices. */
  async write(tokens: readonly string[], value: number): Promise<DoorWrites> {
    return (await this.#helper.ask({ kind: 'write', tokens, value })) as DoorWrites;
  }

  /** Throws when there is no such metric. */
  async metric(name: MetricName): Promise<number> {
    const value = await this.#helper.ask({ kind: 'metric', name });
    if (typeof value !== 'number') throw new Error(`there is no metric ${name}`);
    return value;
  }

  stop(): Promise<void> {
    return this.#helper.stop();
  }
}
