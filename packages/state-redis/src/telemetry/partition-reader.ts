import type { Millis, Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { StreamEntry } from './message-codec';
import { GROUP } from './progress';

const READ = loadScript('telemetry-read');
const TRIM = loadScript('telemetry-trim');
/** All processes read as one consumer: who takes a partition over finds there what the one before had in hand. */
const CONSUMER = 'tandem';
/** Bounds of what is read at once, where it is not one large entry. */
const MAX_ENTRIES = 2_500;
const MAX_BYTES = 4_000_000;

/** An entry that the view cannot take. */
export interface TooLarge {
  readonly deviceId: Uuid;
  readonly bytes: number;
}

export interface Portion {
  /** Without their fields where they are too large. */
  readonly entries: readonly StreamEntry[];
  /** Within one life of the stream ids grow; a server that took over or began anew may give smaller ones. */
  readonly life: string;
  /** Whether the stream probably has more. */
  readonly more: boolean;
  readonly tooLarge: readonly TooLarge[];
  /** Of the entries that are not. */
  readonly bytes: number;
}

export interface Trimmed {
  readonly newestId: string;
  readonly length: number;
  /** Groups of other programs that were ended. */
  readonly ended: readonly { readonly group: string; readonly unread: number }[];
}

/** Reads and acknowledges one partition. */
export class PartitionReader {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly partition: number,
    private readonly processId: string,
    private readonly consumerGroupTtl: Millis,
    /** Bytes of the largest entry that is handed out. */
    private readonly entryMax: number,
  ) {}

  /**
   * What was handed out and is not acknowledged, whoever it was handed to; new entries only where there is nothing of the kind.
   * @returns undefined when the partition is not ours any more
   */
  async read(): Promise<Portion | undefined> {
    const reply = await this.commands.run<[string, StreamEntry[], (string | number)[], number, number] | null>(
      READ,
      [this.keys.telemetry(this.partition), this.keys.partition(this.partition, 'lease')],
      [this.processId, GROUP, CONSUMER, MAX_ENTRIES, MAX_BYTES, this.entryMax],
    );
    if (!reply) return undefined;
    const [server, entries, large, bytes, more] = reply;
    const tooLarge: TooLarge[] = [];
    for (let i = 0; i + 1 < large.length; i += 2)
      tooLarge.push({ deviceId: String(large[i]), bytes: Number(large[i + 1]) });
    return { entries, life: `${this.partition}.${server}`, tooLarge, bytes, more: more === 1 };
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
