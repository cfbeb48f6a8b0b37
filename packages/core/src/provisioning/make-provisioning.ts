import type { Attributes } from '../attributes/attributes';
import type { Settings } from '../config/settings';
import type { Platform } from '../core';
import type { Devices } from '../devices/devices';
import type { NewDevices } from '../devices/new-devices';
import { MemoryFailureCounters } from '../limits/memory-failure-counters';
import type { Logger } from '../platform/logger';
import type { State } from '../state/state';
import { ProvisionGuard } from './provision-guard';
import { Provisioning } from './provisioning';

export interface ProvisioningNeeds {
  readonly newDevices: NewDevices;
  readonly devices: Devices;
  readonly attributes: Attributes;
  /** Anybody can make it say the same thing again and again. */
  readonly quiet: Logger;
}

export function makeProvisioning(
  state: State,
  settings: Settings,
  { clock, random, metrics }: Platform,
  { newDevices, devices, attributes, quiet }: ProvisioningNeeds,
): Provisioning {
  const { TANDEM_PROVISION_LOCK_TIME: lock, TANDEM_PROVISION_MAX_FAILURES: max } = settings;
  const apart = new MemoryFailureCounters(settings.TANDEM_PROVISION_SUBJECTS_MAX, metrics, {
    name: 'tandem_provision_subjects',
    help: 'Addresses, as they stand on datagrams, whose unknown provisioning keys this process remembers',
  });
  const guard = new ProvisionGuard(
    state.failures,
    apart,
    { failures: { max, window: lock, lock }, maxRunning: settings.TANDEM_PROVISION_MAX_RUNNING },
    clock,
    metrics,
  );
  return new Provisioning(
    { store: state.devices, newDevices, devices, attributes, guard, random, logger: quiet },
    metrics,
  );
}
