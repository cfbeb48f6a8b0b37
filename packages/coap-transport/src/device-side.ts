import { setMaxListeners } from 'node:events';
import type { Core } from '@tandem/core';
import { admit, createDeviceApi, mayContinue } from './device-api';
import { sameDevicePath } from './device-path';
import type { EndpointOptions } from './endpoint/index';
import { LockOut } from './lock-out';
import { Lookups } from './lookups';
import { ProvisioningDoor } from './provisioning';

/** The device API as endpoints serve it, plain or secured: their limits on strangers hold for both together. */
export class DeviceSide {
  readonly #core: Core;
  readonly #lockOut: LockOut;
  readonly #lookups: Lookups;
  readonly #provisioning: ProvisioningDoor;

  constructor(core: Core) {
    const { settings, auth, metrics, credentialsGuard } = core;
    this.#core = core;
    this.#lockOut = new LockOut(credentialsGuard);
    // At most half of all exchanges: the others are for those whose credentials are known.
    const maxLookups = Math.min(settings.TANDEM_COAP_MAX_LOOKUPS, Math.ceil(settings.TANDEM_COAP_MAX_EXCHANGES / 2));
    this.#lookups = new Lookups(auth, this.#lockOut, maxLookups, metrics);
    this.#provisioning = new ProvisioningDoor(core);
  }

  /** @param closing aborted when nobody waits for answers of that endpoint any more */
  options(closing: AbortSignal): Pick<EndpointOptions, 'handler' | 'admit' | 'mayContinue' | 'sameResource'> {
    const core = this.#core;
    // Every waiting command of a device listens.
    setMaxListeners(0, closing);
    return {
      handler: createDeviceApi(core, this.#lookups, this.#lockOut, this.#provisioning, closing),
      admit: (request) => admit(core, this.#lookups, this.#lockOut, this.#provisioning, request),
      mayContinue: (request) => mayContinue(core, request),
      sameResource: (one, other) => sameDevicePath(one.path, other.path),
    };
  }
}
