import type { Attributes } from '../attributes/attributes';
import { isSameSecret } from '../auth/same-secret';
import type { Devices } from '../devices/devices';
import type { Device, DeviceProfile } from '../devices/model';
import type { NewDevices } from '../devices/new-devices';
import { TandemError } from '../errors';
import type { Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Random } from '../platform/random';
import { shownText } from '../platform/shown-text';
import type { DeviceStore } from '../state/device-store';
import type { ProvisionGuard, ProvisionSource } from './provision-guard';
import type { ProvisionOutcome } from './provision-outcome';
import type { ProvisionRate } from './provision-rate';
import type { ProvisionRequest } from './provision-request';
import { provisionedCredentials } from './provisioned-credentials';
import { PROVISIONED, requestHash, type UnfinishedDevices } from './unfinished-devices';

const NAME_LENGTH = 20;
/** Why a device was refused is said for each reason and profile. */
export const REFUSED = 'a device was not provisioned';
export const REFUSED_BY: readonly string[] = ['reason', 'profileId'];
/** When a device may try again whose provisioning was undone, or is under way. */
const RETRY: Millis = 1_000;

const NOT_FOUND: ProvisionOutcome = { status: 'NOT_FOUND' };
const FAILURE: ProvisionOutcome = { status: 'FAILURE' };

export interface ProvisioningParts {
  readonly store: Pick<DeviceStore, 'findProfileByProvisionKey' | 'findDeviceByName' | 'getCredentials'>;
  readonly newDevices: Pick<NewDevices, 'createWith' | 'complete'>;
  readonly devices: Pick<Devices, 'delete'>;
  readonly attributes: Pick<Attributes, 'read' | 'saveServerIfAbsent'>;
  readonly guard: ProvisionGuard;
  readonly rate: ProvisionRate;
  readonly unfinished: UnfinishedDevices;
  readonly random: Random;
  readonly logger: Logger;
}

/** How a device that nobody has made or told its credentials gets them, with the key and secret of its profile (contract 5). */
export class Provisioning {
  readonly #succeeded: { add(): void };
  readonly #failed: { add(): void };
  readonly #notFound: { add(): void };
  readonly #abandoned: { add(): void };

  constructor(
    private readonly parts: ProvisioningParts,
    metrics: MetricsRegistry,
  ) {
    this.#succeeded = metrics.counter('tandem_provisions_total', { outcome: 'succeeded' });
    this.#failed = metrics.counter('tandem_provisions_total', { outcome: 'failed' });
    this.#notFound = metrics.counter('tandem_provisions_total', { outcome: 'not_found' });
    this.#abandoned = metrics.counter('tandem_provisions_total', { outcome: 'abandoned' });
  }

  /** @throws TandemError BAD_PAYLOAD, TOO_MANY_REQUESTS, STORE_UNAVAILABLE; then nothing has changed */
  async provision(request: ProvisionRequest, source: ProvisionSource): Promise<ProvisionOutcome> {
    const outcome = await this.parts.guard.run(source, () => this.#decide(request, source));
    if (outcome.status === 'SUCCESS') this.#succeeded.add();
    else if (outcome.status === 'FAILURE') this.#failed.add();
    else this.#notFound.add();
    return outcome;
  }

  /** The table of contract 5.3, line by line. */
  async #decide(request: ProvisionRequest, source: ProvisionSource): Promise<ProvisionOutcome> {
    const { key, secret } = request;
    if (key === '' || secret === '') return NOT_FOUND;
    const profile = await this.parts.store.findProfileByProvisionKey(key);
    if (!profile || !isSameSecret(secretOf(profile), secret)) return NOT_FOUND;
    if (source.gone?.()) throw this.#abandon();
    switch (profile.provisionType) {
      case 'ALLOW_CREATE_NEW_DEVICES':
        return this.#create(profile, request, source);
      case 'CHECK_PRE_PROVISIONED_DEVICES':
        return this.#check(profile, request.deviceName.trim());
      default:
        return NOT_FOUND;
    }
  }

  async #create(profile: DeviceProfile, request: ProvisionRequest, source: ProvisionSource): Promise<ProvisionOutcome> {
    const { rate, unfinished, random } = this.parts;
    const name = request.deviceName === '' ? random.alphanumeric(NAME_LENGTH) : request.deviceName.trim();
    const outcome = await rate.of(profile, async (): Promise<ProvisionOutcome | string> => {
      if (source.gone?.()) throw this.#abandon();
      try {
        return await this.#make(profile, name, request);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return error.message;
      }
    });
    if (typeof outcome !== 'string') return outcome;
    return (await unfinished.finish(profile, name, request)) ?? this.#refuse(profile, outcome, name);
  }

  async #make(profile: DeviceProfile, name: string, request: ProvisionRequest): Promise<ProvisionOutcome> {
    const { newDevices, attributes, random } = this.parts;
    const { tenantId, id: deviceProfileId } = profile;
    const credentials = provisionedCredentials(request, random);
    const additionalInfo = request.gateway ? '{"gateway":true}' : null;
    const device = await newDevices.createWith(
      tenantId,
      { name, deviceProfileId, additionalInfo },
      { ...credentials, provisionRequest: requestHash(request) },
    );
    const saved = attributes.saveServerIfAbsent(device.id, PROVISIONED);
    if (!(await saved.catch((error) => this.#undo(device, error)))) {
      throw new TandemError('NOT_FOUND', { message: 'The device was removed meanwhile' });
    }
    return { status: 'SUCCESS', deviceId: device.id, credentials };
  }

  /** The device was never told what it is, so it has to be able to try again under its name. */
  async #undo({ id: deviceId, tenantId }: Device, cause: unknown): Promise<never> {
    await this.parts.devices.delete(tenantId, deviceId).catch((error) =>
      this.parts.logger.warn('a device that could not be provisioned is left over', {
        deviceId,
        error: String(error),
      }),
    );
    throw new TandemError('STORE_UNAVAILABLE', { retryAfter: RETRY, cause });
  }

  async #check(profile: DeviceProfile, name: string): Promise<ProvisionOutcome> {
    const { store, attributes } = this.parts;
    if (name === '') return this.#refuse(profile, 'The request names no device', name);
    const device = await store.findDeviceByName(profile.tenantId, name);
    if (device?.deviceProfileId !== profile.id) return this.#refuse(profile, 'The profile has no such device', name);
    // Before the attribute, after which there is no second try.
    const credentials = await store.getCredentials(device.id);
    const saved = credentials && (await attributes.saveServerIfAbsent(device.id, PROVISIONED));
    if (!saved) return this.#refuse(profile, 'The device has been provisioned before', name);
    return { status: 'SUCCESS', deviceId: device.id, credentials };
  }

  /** @param name as the device says it; empty for none */
  #refuse({ id: profileId, tenantId }: DeviceProfile, reason: string, name: string): ProvisionOutcome {
    this.parts.logger.warn(REFUSED, { tenantId, profileId, reason, deviceName: shownText(name) });
    return FAILURE;
  }

  /** Nobody would hear what became of it, and its name would be used up. */
  #abandon(): TandemError {
    this.#abandoned.add();
    return new TandemError('BAD_REQUEST', {
      message: 'The connection was ended before the answer: a device has to be there to be told what it is',
    });
  }
}

/** What a write of the registry said no to: it has changed nothing. */
const isRefusal = (error: unknown): error is TandemError =>
  error instanceof TandemError && (error.code === 'BAD_REQUEST' || error.code === 'NOT_FOUND');

function secretOf({ profileData }: DeviceProfile): string {
  const { provisionConfiguration } = JSON.parse(profileData) as {
    provisionConfiguration?: { provisionDeviceSecret?: unknown } | null;
  };
  const secret = provisionConfiguration?.provisionDeviceSecret;
  return typeof secret === 'string' ? secret : '';
}
