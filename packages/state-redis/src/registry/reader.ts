import type { Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import type { Table } from './tables';

const READ = loadScript('registry-read');
const PROFILE_DEVICES = loadScript('registry-profile-devices');
/** Fields of one piece of a table that is read as a whole. */
const PIECE = 1_000;

/** Which field of a table is read: given, or found by an earlier step (counted from 1). */
export type Field = readonly [kind: 'text' | 'of' | 'head', value: string];

export const at = (field: string): Field => ['text', field];
export const foundBy = (step: number): Field => ['of', String(step)];
/** The UUID that the record found by the step begins with. */
export const headOf = (step: number): Field => ['head', String(step)];

export type Step = readonly [Table, Field];

export class RegistryReader {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
  ) {}

  /** What each step found, as of one moment and in one round trip. */
  async read(...steps: readonly Step[]): Promise<readonly (string | undefined)[]> {
    const tables = [...new Set(steps.map(([table]) => table))];
    const found = await this.commands.run<(string | null)[]>(
      READ,
      tables.map((table) => this.keys.registry(table)),
      steps.flatMap(([table, field]) => [tables.indexOf(table) + 1, ...field]),
    );
    return found.map((text) => text ?? undefined);
  }

  /**
   * A step over the devices, and of them those of the profile.
   * @returns the cursor of the next step, empty at the end; the profile; devices
   */
  async devicesOfProfile(profileId: Uuid, cursor: string, limit: number): Promise<readonly (string | undefined)[]> {
    const found = await this.commands.run<(string | null)[]>(
      PROFILE_DEVICES,
      [this.keys.registry('devices'), this.keys.registry('profiles')],
      [profileId, cursor, limit],
    );
    return found.map((text) => text ?? undefined);
  }

  /**
   * A whole table, piece by piece. What is there from the first piece to the last is given once; what comes or goes
   * meanwhile may be.
   */
  async all(table: Table): Promise<Map<string, string>> {
    const rows = new Map<string, string>();
    for await (const piece of this.pieces(table)) for (const [field, text] of piece) rows.set(field, text);
    return rows;
  }

  /** As {@link all}; a row may be in two pieces. */
  async *pieces(table: Table): AsyncGenerator<ReadonlyMap<string, string>> {
    let cursor = '0';
    do {
      const [next, piece] = await this.commands.during(() =>
        this.commands.client.hscan(this.keys.registry(table), cursor, 'COUNT', PIECE),
      );
      const rows = new Map<string, string>();
      for (let i = 0; i + 1 < piece.length; i += 2) rows.set(piece[i] ?? '', piece[i + 1] ?? '');
      yield rows;
      cursor = next;
    } while (cursor !== '0');
  }

  /** Ids of the profiles of a tenant; of one that is made or removed meanwhile maybe not. */
  async profilesOf(tenantId: Uuid): Promise<readonly Uuid[]> {
    const ids = new Set<Uuid>();
    let cursor = '0';
    do {
      const [next, piece] = await this.commands.during(() =>
        this.commands.client.hscan(
          this.keys.registry('profile-names'),
          cursor,
          'MATCH',
          `${tenantId} *`,
          'COUNT',
          PIECE,
        ),
      );
      for (let i = 1; i < piece.length; i += 2) ids.add(piece[i] ?? '');
      cursor = next;
    } while (cursor !== '0');
    return [...ids];
  }

  /** Some fields of a table, in their order. */
  async many(table: Table, fields: readonly string[]): Promise<readonly (string | undefined)[]> {
    if (fields.length === 0) return [];
    const { client } = this.commands;
    const texts = await this.commands.during(() => client.hmget(this.keys.registry(table), ...fields));
    return texts.map((text) => text ?? undefined);
  }
}
