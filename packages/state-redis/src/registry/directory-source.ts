import { setImmediate as immediate } from 'node:timers/promises';
import type { Device, DirectorySource, Uuid } from '@tandem/core';
import { at, type RegistryReader } from './reader';
import { deviceOf, profileIdOf, profileNameOf } from './records';
import type { SessionChanges } from './session-changes';

/** The registry, as the directory of devices reads it. */
export class RegistryDirectorySource implements DirectorySource {
  constructor(
    private readonly reader: RegistryReader,
    private readonly changes: SessionChanges,
  ) {}

  async *all(): AsyncGenerator<readonly Device[]> {
    const names = new Map<Uuid, string>();
    for await (const rows of this.reader.pieces('devices')) {
      yield await this.#devices([...rows.values()], names);
    }
  }

  async read(ids: readonly Uuid[]): Promise<readonly (Device | undefined)[]> {
    const texts = await this.reader.many('devices', ids);
    const found = await this.#devices(
      texts.flatMap((text) => text ?? []),
      new Map(),
    );
    const byId = new Map(found.map((device) => [device.id, device]));
    return ids.map((id) => byId.get(id));
  }

  async profileName(id: Uuid): Promise<string | undefined> {
    const [text] = await this.reader.read(['profiles', at(id)]);
    return profileNameOf(text);
  }

  /** One round trip, shared by all who ask at the same time. */
  upToDate(): Promise<void> {
    return this.changes.upToDate();
  }

  giveWay(): Promise<void> {
    return immediate();
  }

  /** @param names of profiles that are known; those that are not are added */
  async #devices(texts: readonly string[], names: Map<Uuid, string>): Promise<Device[]> {
    const unknown = [...new Set(texts.map(profileIdOf))].filter((id) => !names.has(id));
    const profiles = await this.reader.many('profiles', unknown);
    for (const [n, id] of unknown.entries()) names.set(id, profileNameOf(profiles[n]) ?? '');
    return texts.map((text) => deviceOf(text, names.get(profileIdOf(text)) ?? ''));
  }
}
