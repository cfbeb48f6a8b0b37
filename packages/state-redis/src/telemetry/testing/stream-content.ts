import type { Uuid } from '@tandem/core';
import { deviceOf, recordsOf, type StreamEntry } from '../message-codec';
import type { TelemetryUnderTest } from './telemetry-under-test';

/** What the streams hold: for each device the values of key `t`, in the order of its stream. */
export async function logged({ commands, keys, log }: TelemetryUnderTest): Promise<Map<Uuid, number[]>> {
  const devices = new Map<Uuid, number[]>();
  for (let partition = 0; partition < log.partitions; partition++) {
    const entries = (await commands.client.xrange(keys.telemetry(partition), '-', '+')) as StreamEntry[];
    for (const entry of entries) {
      const id = deviceOf(entry) ?? 'of another program';
      const own = devices.get(id) ?? [];
      devices.set(id, own);
      for (const { values } of recordsOf(entry)) own.push(Number(values[0]?.value));
    }
  }
  return devices;
}

/** Resolves when it is so: what another process or Redis itself does is told to nobody. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to be within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
