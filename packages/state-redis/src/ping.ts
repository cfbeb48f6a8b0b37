import type { Clock } from '@tandem/core';
import { type Commands, loadScript } from './client';
import type { Keys } from './keys';

const PING = loadScript('ping');

/**
 * Resolves when what a gateway writes is taken, and what it publishes: by the slot of the registry and by that of each telemetry partition, so
 * that on a Cluster no master without which messages would be refused is left out.
 */
export async function pingStore(
  commands: Commands,
  keys: Keys,
  partitions: number,
  { clock, publish }: { readonly clock: Clock; readonly publish: 'PUBLISH' | 'SPUBLISH' },
): Promise<void> {
  const now = clock.now();
  await Promise.all([
    commands.write(PING, [keys.registry('meta'), keys.registry('ping')], ['ping', now, publish, '']),
    ...Array.from({ length: partitions }, (_, partition) =>
      commands.run(PING, [keys.partition(partition, 'health')], ['ping', now]),
    ),
  ]);
}
