import { setImmediate as immediate } from 'node:timers/promises';
import type { Device, DirectorySource, ProfileInfo, Uuid } from '@tandem/core';
import type { Environment } from './environment';

/** Devices of one piece of all: reading and parsing them takes a few milliseconds. */
const PIECE = 1_000;

/** The tables, as the directory of devices reads them. Changes are told by who makes them, before they are acknowledged. */
export function directorySource(env: Environment): DirectorySource {
  const parse = (text: string) => JSON.parse(text) as Device;
  return {
    async *all() {
      let after: string | undefined;
      for (;;) {
        const range = after === undefined ? {} : { start: after, exclusiveStart: true };
        const rows = [...env.devices.getRange({ ...range, limit: PIECE })];
        yield rows.map(({ value }) => parse(value));
        if (rows.length < PIECE) return;
        after = rows.at(-1)?.key;
        await immediate();
      }
    },
    async read(ids) {
      await immediate();
      return ids.map((id) => {
        const text = env.devices.get(id);
        return text === undefined ? undefined : parse(text);
      });
    },
    async profileName(id: Uuid) {
      const text = env.profiles.get(id);
      return text === undefined ? undefined : (JSON.parse(text) as ProfileInfo).name;
    },
    upToDate: () => Promise.resolve(),
    giveWay: () => immediate(),
  };
}
