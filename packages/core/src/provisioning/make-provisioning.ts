import type { Attributes } from '../attributes/attributes';
import type { Settings } from '../config/settings';
import type { Platform } from '../core';
import type { Devices } from '../devices/devices';
import type { NewDevices } from '../devices/new-devices';
import { MemoryFailureCounters } from '../limits/memory-failure-counters';
import type { Millis } from '../platform/clock';
import { quietLogger } from '../platform/quiet-logger';
import type { State } from '../state/state';
import { ProvisionGuard } from './provision-guard';
import { ProvisionRate } from './provision-rate';
import { Provisioning, REFUSED_BY } from './provisioning';
import { UnfinishedDevices } from './unfinished-devices';

export interface ProvisioningNeeds {
  readonly newDevices: NewDevices;
  readonly devices: Devices;
  readonly attributes: Attributes;
}

const LOG_INTERVAL: Millis = 10_000;

export function makeProvisioning(
  state: State,
  settings: Settings,
  { clock, random, logger, metrics }: Platform,
  { newDevices, devices, attributes }: ProvisioningNeeds,
): Provisioning {
  const { TANDEM_PROVISION_LOCK_TIME: lock, TANDEM_PROVISION_MAX_FAILURES: max } = settings;
  const apart = new MemoryFailureCounters(settings.TANDEM_PROVISION_SUBJECTS_MAX, metrics, 'tandem_provision_subjects');
  const guard = new ProvisionGuard(
    state.failures,
    apart,
    { failures: { max, window: lock, lock }, maxRunning: settings.TANDEM_PROVISION_MAX_RUNNING },
    clock,
    metrics,
  );
  const rate = new ProvisionRate(state.rateCounters, settings.TANDEM_PROVISION_RATE, clock, metrics);
  const unfinished = new UnfinishedDevices({ store: state.devices, newDevices, attributes, clock });
  // Anybody can make it say the same thing again and again.
  const quiet = quietLogger(logger, clock, LOG_INTERVAL, REFUSED_BY);
  return new Provisioning(
    { store: state.devices, newDevices, devices, attributes, guard, rate, unfinished, random, logger: quiet },
    metrics,
  );
}
