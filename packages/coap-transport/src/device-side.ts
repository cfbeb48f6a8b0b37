import { setMaxListeners } from 'node:events';
import type { Core, Counter } from '@tandem/core';
import { Callers } from './callers';
import { countedRequests } from './counted-requests';
import { admit, createDeviceApi, mayContinue } from './device-api';
import { sameDevicePath } from './device-path';
import type { DtlsSession } from './dtls/session';
import type { EndpointOptions } from './endpoint/index';
import { LockOut } from './lock-out';
import { Lookups } from './lookups';
import { ProvisioningDoor } from './provisioning/provisioning';

/** The device API as endpoints serve it, plain or secured: their limits on strangers hold for both together. */
export class DeviceSide {
  /** Lookups of tokens and of pre-shared keys that were one too many. */
  readonly tooManyLookups: Counter;
  readonly #core: Core;
  readonly #lockOut: LockOut;
  readonly #callers: Callers;
  readonly #provisioning: ProvisioningDoor;

  constructor(core: Core) {
    const { settings, auth, metrics, clock, credentialsGuard } = core;
    this.#core = core;
    this.#lockOut = new LockOut(credentialsGuard);
    // At most half of all exchanges: the others are for those whose credentials are known.
    const maxLookups = Math.min(settings.TANDEM_COAP_MAX_LOOKUPS, Math.ceil(settings.TANDEM_COAP_MAX_EXCHANGES / 2));
    this.tooManyLookups = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_COAP_MAX_LOOKUPS' });
    const lookups = new Lookups(auth, this.#lockOut, maxLookups, metrics, this.tooManyLookups);
    this.#callers = new Callers(auth, lookups, () => clock.monotonic());
    this.#provisioning = new ProvisioningDoor(core);
  }

  /** A DTLS session is open. */
  opened(session: DtlsSession): void {
    this.#callers.opened(session);
  }

  /**
   * @param protocol of the door, by which its requests are counted
   * @param closing aborted when nobody waits for answers of that endpoint any more
   */
  options(
    protocol: 'coap' | 'coaps',
    closing: AbortSignal,
  ): Pick<EndpointOptions, 'handler' | 'admit' | 'mayContinue' | 'sameResource'> {
    const core = this.#core;
    // Every waiting command of a device listens.
    setMaxListeners(0, closing);
    return {
      handler: createDeviceApi(
        core,
        this.#callers,
        this.#lockOut,
        this.#provisioning,
        countedRequests(core, protocol),
        closing,
      ),
      admit: (request) => admit(this.#callers, this.#lockOut, this.#provisioning, request),
      mayContinue: (request) => mayContinue(this.#callers, request),
      sameResource: (one, other) => sameDevicePath(one.path, other.path),
    };
  }
}
