import { createHash } from 'node:crypto';
import { limitedAs } from '../accounts/principals';
import type { Attributes } from '../attributes/attributes';
import type { DeviceSession } from '../auth/device-session';
import { isSameSecret } from '../auth/same-secret';
import { type Device, NULL_UUID, type User, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import { booleanValue } from '../payload/value';
import type { Clock, EpochMillis, Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { MetricsRegistry } from '../platform/metrics';
import type { Claim, ClaimStore } from '../state/claim-store';
import type { DeviceStore } from '../state/device-store';
import type { RateCounters, RateLimit, RateOwner } from '../state/rate-counters';
import { readClaimingData } from './claiming-data';

/** SERVER attributes of a device that have to do with claiming. */
const ALLOWED = 'claimingAllowed';
const DATA = 'claimingData';

export interface ClaimingSettings {
  /** `SECURITY_CLAIM_DURATION` */
  readonly duration: Millis;
  /** `SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT` */
  readonly allowedByDefault: boolean;
  /** `TANDEM_CLAIM_FAILURES` */
  readonly failures: readonly RateLimit[];
}

export interface ClaimingPorts {
  readonly claims: ClaimStore;
  readonly devices: Pick<DeviceStore, 'findDeviceByName' | 'getDevice'>;
  readonly rateCounters: RateCounters;
}

/** What a device says so that a user can have it (contract 6.1). */
export interface ClaimRequest {
  /** Empty where the device names none. */
  readonly secretKey?: string;
  /** 0 and below: as if it was not said. */
  readonly durationMs?: Millis;
}

/** Server contract 7. */
export type ClaimOutcome =
  | { readonly response: 'SUCCESS'; readonly device: Device }
  | { readonly response: 'FAILURE' | 'CLAIMED' };

export type ClaimingUser = Pick<User, 'id' | 'tenantId' | 'customerId' | 'authority'>;

/** How a user of a customer comes to own a device that knows a secret (contract 6, server contract 7). */
export class Claiming {
  readonly #throttled: { add(): void };

  constructor(
    private readonly ports: ClaimingPorts,
    private readonly attributes: Pick<Attributes, 'read' | 'delete' | 'saveFromServer'>,
    private readonly settings: ClaimingSettings,
    private readonly clock: Clock,
    private readonly logger: Logger,
    metrics: MetricsRegistry,
    private readonly limits: Pick<MessageLimits, 'take'>,
  ) {
    this.#throttled = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_CLAIM_FAILURES' });
  }

  /**
   * The device can be claimed from now on. A claim of it that has not expired stays as it is; where the device may not be
   * claimed, or has a customer, nothing happens: it is told neither (contract 6.1).
   * @throws TandemError TOO_MANY_REQUESTS, STORE_UNAVAILABLE
   */
  async register(session: DeviceSession, { secretKey = '', durationMs = 0 }: ClaimRequest): Promise<void> {
    await this.limits.take(session, 'message');
    const { deviceId } = session;
    if (!this.settings.allowedByDefault && !(await this.#isAllowed(deviceId))) return;
    const now = this.clock.now();
    const duration = durationMs > 0 ? durationMs : this.settings.duration;
    const expirationTime = Math.min(Math.floor(now + duration), Number.MAX_SAFE_INTEGER);
    await this.ports.claims.register(deviceId, { secretHash: hashOf(secretKey), expirationTime }, now);
  }

  /**
   * The table of server contract 7. Of two who claim at once one gets the device, over all processes.
   * @throws TandemError NOT_FOUND for an unknown device, PERMISSION_DENIED for a user without a customer, TOO_MANY_REQUESTS
   * after too many failures, STORE_UNAVAILABLE
   */
  async claim(user: ClaimingUser, deviceName: string, secretKey: string): Promise<ClaimOutcome> {
    if (user.customerId === NULL_UUID) throw new TandemError('PERMISSION_DENIED');
    await this.#takeTry(limitedAs(user));
    const outcome = await this.#claim(user, deviceName, secretKey);
    if (outcome.response !== 'FAILURE') await this.#giveTryBack(limitedAs(user));
    return outcome;
  }

  /**
   * Takes a device from its customer, and it cannot be claimed until it says so again. One without a customer stays without,
   * and an administrator ends its claim.
   * @throws TandemError NOT_FOUND, PERMISSION_DENIED for the device of another customer
   */
  async reclaim(user: ClaimingUser, deviceName: string): Promise<void> {
    for (;;) {
      const device = await this.#find(user.tenantId, deviceName);
      const isAdministrator = user.authority === 'TENANT_ADMIN';
      if (device.customerId === NULL_UUID) return isAdministrator ? this.#endClaim(device.id) : undefined;
      if (!isAdministrator && device.customerId !== user.customerId) throw new TandemError('PERMISSION_DENIED');
      const written = await this.ports.claims.assign({ ...device, customerId: NULL_UUID });
      if (written.ok) return this.#allowAgain(device.id);
      if (written.conflict !== 'VERSION') throw new TandemError('NOT_FOUND');
    }
  }

  async #claim({ tenantId, customerId }: ClaimingUser, deviceName: string, secretKey: string): Promise<ClaimOutcome> {
    const secretHash = hashOf(secretKey);
    for (;;) {
      const device = await this.#find(tenantId, deviceName);
      const hasCustomer = device.customerId !== NULL_UUID;
      const registered = await this.ports.claims.get(device.id);
      const claim = registered ?? (await this.#claimingData(device.id));
      // Whoever was faster has used the claim up since the device was looked at.
      if (!registered && !hasCustomer && (await this.#hasCustomer(device))) return { response: 'CLAIMED' };
      if (!claim) return { response: hasCustomer ? 'CLAIMED' : 'FAILURE' };
      if (claim.expirationTime <= this.clock.now() || !isSameSecret(claim.secretHash, secretHash)) {
        if (registered) await this.ports.claims.discard(device.id, registered);
        return { response: 'FAILURE' };
      }
      if (hasCustomer) return { response: 'CLAIMED' };
      const written = await this.ports.claims.assign({ ...device, customerId }, registered);
      if (written.ok) {
        await this.#forgetAttributes(device.id);
        return { response: 'SUCCESS', device: written.value };
      }
      if (written.conflict !== 'VERSION') throw new TandemError('NOT_FOUND');
      // Somebody else was faster, or changed the device: what holds by now is to be found out.
    }
  }

  /** Until when a user who knows the secret can have the device; undefined where nobody can. @throws TandemError STORE_UNAVAILABLE */
  async claimableUntil({ id, customerId }: Pick<Device, 'id' | 'customerId'>): Promise<EpochMillis | undefined> {
    if (customerId !== NULL_UUID) return undefined;
    const claim = (await this.ports.claims.get(id)) ?? (await this.#claimingData(id));
    return claim && claim.expirationTime > this.clock.now() ? claim.expirationTime : undefined;
  }

  async #endClaim(deviceId: Uuid): Promise<void> {
    const claim = await this.ports.claims.get(deviceId);
    if (claim) await this.ports.claims.discard(deviceId, claim);
  }

  async #find(tenantId: Uuid, name: string): Promise<Device> {
    const device = await this.ports.devices.findDeviceByName(tenantId, name);
    if (!device) throw new TandemError('NOT_FOUND');
    return device;
  }

  async #hasCustomer({ id }: Device): Promise<boolean> {
    const device = await this.ports.devices.getDevice(id);
    return device !== undefined && device.customerId !== NULL_UUID;
  }

  async #isAllowed(deviceId: Uuid): Promise<boolean> {
    const [allowed] = await this.attributes.read(deviceId, 'SERVER', [ALLOWED]);
    return allowed?.value === booleanValue(true);
  }

  async #claimingData(deviceId: Uuid): Promise<Claim | undefined> {
    const [attribute] = await this.attributes.read(deviceId, 'SERVER', [DATA]);
    const data = attribute && readClaimingData(attribute.value);
    return data && { secretHash: hashOf(data.secretKey), expirationTime: data.expirationTime };
  }

  /** The device has its customer by now, whatever becomes of this. */
  async #forgetAttributes(deviceId: Uuid): Promise<void> {
    try {
      await this.attributes.delete(deviceId, 'SERVER', [ALLOWED, DATA]);
    } catch (error) {
      this.logger.warn('attributes of a claimed device not removed', { deviceId, error: String(error) });
    }
  }

  /** A device that was claimed once may be claimed again. */
  async #allowAgain(deviceId: Uuid): Promise<void> {
    if (this.settings.allowedByDefault) return;
    await this.attributes.saveFromServer(deviceId, 'SERVER', [{ key: ALLOWED, value: booleanValue(true) }]);
  }

  /** Before anything is looked at, so that those who try much at once get no more tries. */
  async #takeTry(userId: Uuid): Promise<void> {
    const taken = await this.#count(userId, 1);
    if (taken.ok) return;
    this.#throttled.add();
    throw new TandemError('TOO_MANY_REQUESTS', {
      message: `Too many claims that failed! At most ${taken.demand.limit.count} in ${taken.demand.limit.seconds} s`,
      retryAfter: taken.retryAfter,
    });
  }

  async #giveTryBack(userId: Uuid): Promise<void> {
    await this.#count(userId, -1).catch(() => {});
  }

  #count(userId: Uuid, cost: number) {
    const owner: RateOwner = { scope: 'user', id: userId };
    const demands = this.settings.failures.map((limit) => ({ what: 'failed claims', limit, cost }));
    return demands.length === 0
      ? Promise.resolve({ ok: true } as const)
      : this.ports.rateCounters.take(owner, demands, this.clock.now());
  }
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
