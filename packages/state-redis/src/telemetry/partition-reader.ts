import type { Millis } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { StreamEntry } from './message-codec';
import { GROUP } from './progress';

const READ = loadScript('telemetry-read');
const TRIM = loadScript('telemetry-trim');
/** All processes read as one consumer: who takes a partition over finds there what the one before had in hand. */
const CONSUMER = 'tandem';
/** Bounds of what is read at once. */
const MAX_ENTRIES = 2_500;
const MAX_BYTES = 4_000_000;

export interface Portion {
  readonly entries: readonly StreamEntry[];
  /** Within one life of the stream ids grow; a server that took over or began anew may give smaller ones. */
  readonly life: string;
  /** Whether the stream probably has more. */
  readonly more: boolean;
}

export interface Trimmed {
  readonly newestId: string;
  readonly length: number;
  /** Groups of other programs that were ended. */
  readonly ended: readonly { readonly group: string; readonly unread: number }[];
}

/** Reads and acknowledges one partition. */
export class PartitionReader {
  /** Entries that were handed out and not acknowledged come first: nothing is passed over. */
  #handedOut = true;

  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly partition: number,
    private readonly processId: string,
    private readonly consumerGroupTtl: Millis,
  ) {}

  /** Undefined when the partition is not ours any more. */
  async read(): Promise<Portion | undefined> {
    const from = this.#handedOut ? '0' : '>';
    const reply = await this.commands.run<[string, StreamEntry[]] | null>(
      READ,
      [this.keys.telemetry(this.partition), this.keys.partition(this.partition, 'lease')],
      [this.processId, GROUP, CONSUMER, from, MAX_ENTRIES, MAX_BYTES],
    );
    if (!reply) return undefined;
    const [server, entries] = reply;
    const life = `${this.partition}.${server}`;
    if (from === '>') return { entries, life, more: entries.length >= MAX_ENTRIES };
    this.#handedOut = entries.length > 0;
    return this.#handedOut ? { entries, life, more: true } : this.read();
  }

  /** What was read and not acknowledged is read again. */
  again(): void {
    this.#handedOut = true;
  }

  /** Acknowledges what is in the view and lets go of what every consumer group has acknowledged. */
  async trim(entries: readonly StreamEntry[]): Promise<Trimmed> {
    const [newestId, length, ended] = await this.commands.run<[string, number, (string | number)[]]>(
      TRIM,
      [this.keys.telemetry(this.partition), this.keys.partition(this.partition, 'behind')],
      [GROUP, this.consumerGroupTtl, ...entries.map(([id]) => id)],
    );
    const groups: { group: string; unread: number }[] = [];
    for (let i = 0; i + 1 < ended.length; i += 2)
      groups.push({ group: String(ended[i]), unread: Number(ended[i + 1]) });
    return { newestId, length, ended: groups };
  }
}
