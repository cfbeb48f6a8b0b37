import path from 'node:path';
import { AnsweringProcess } from './answering-process';
import type { ObserverQuestion } from './observer-messages';
import type { Notified } from './observer-set';

/** Below the limits of a process for open files and of an address for ports that the kernel gives out. */
const OBSERVERS_PER_PROCESS = 12_500;

export interface FleetOptions {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
  /** Takes their output. */
  readonly folder: string;
}

/** Observers, one port for each device, over as many processes as that takes, each with a loopback address of its own. */
export class ObserverFleet {
  readonly #processes: AnsweringProcess<ObserverQuestion>[] = [];

  static async start({ host, port, tokens, folder }: FleetOptions): Promise<ObserverFleet> {
    const fleet = new ObserverFleet();
    try {
      for (const [index, share] of shares(tokens, OBSERVERS_PER_PROCESS).entries()) {
        const logFile = path.join(folder, `observers-${index}.log`);
        const process = new AnsweringProcess<ObserverQuestion>({ script: 'observer-process.js', logFile });
        fleet.#processes.push(process);
        const source = `127.0.0.${2 + index}`;
        await process.ask({ kind: 'prepare', options: { host, port, source, tokens: share } });
      }
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  get processes(): number {
    return this.#processes.length;
  }

  async read(times: number): Promise<void> {
    await this.#askAll({ kind: 'read', times });
  }

  async register(): Promise<void> {
    await this.#askAll({ kind: 'register' });
  }

  async expect(payload: string): Promise<void> {
    await this.#askAll({ kind: 'expect', payload });
  }

  async outcome(): Promise<Notified> {
    const outcomes = (await this.#askAll({ kind: 'outcome' })) as Notified[];
    const sum = (name: 'notified' | 'surplus'): number => outcomes.reduce((total, each) => total + each[name], 0);
    return {
      notified: sum('notified'),
      surplus: sum('surplus'),
      lastMicros: Math.max(...outcomes.map(({ lastMicros }) => lastMicros)),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  #askAll(question: ObserverQuestion): Promise<unknown[]> {
    return Promise.all(this.#processes.map((process) => process.ask(question)));
  }
}

/** Cuts a list into as few parts of at most `size` as it takes, of almost equal length. */
export function shares<T>(items: readonly T[], size: number): T[][] {
  const parts = Math.ceil(items.length / size);
  const length = Math.ceil(items.length / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(part * length, (part + 1) * length));
}
