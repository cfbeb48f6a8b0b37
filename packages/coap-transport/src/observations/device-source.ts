import {
  type Connectivity,
  Delivery,
  type DeviceSession,
  type ObservedKind,
  type ObserverEnd,
  type ObserverListener,
  type OpenSession,
  type Uuid,
} from '@tandem/core';
import type { Notification, ObservationEnd, ObservationHandle, ObservationSource } from '../endpoint/index';

/** Final answer to an observer whose observation ends in good order (contract 2.6.3): without Observe, without payload. */
const FINAL = { code: '2.02' } as const;

/** To one whose observation cannot go on (RFC 7641 section 4.2). */
const FAILED = { code: '5.00' } as const;

/** What a listing and log lines say of an observation besides its peer. */
export interface ObservedDevice {
  readonly deviceId: Uuid;
  readonly kind: ObservedKind;
}

/** What an observation of the domain looks like to every source. */
interface Observation {
  begin(): void;
  close(): void;
}

/**
 * One observation between the domain and the endpoint; from the registration's answer until it is over also a session of
 * its device. What happens before it is attached to its relation is kept until it is. One object for each observer: there
 * are tens of thousands.
 */
export abstract class DeviceSource<O extends Observation> implements ObservationSource, ObserverListener {
  abstract readonly kind: ObservedKind;
  protected observation: O | undefined = undefined;
  #relation: ObservationHandle | undefined = undefined;
  #session: OpenSession | undefined = undefined;
  /** Of the notification under way, where it is traced. */
  #delivery: Delivery | undefined = undefined;
  #state: 'open' | 'ready' | 'ended' | 'closed' = 'open';

  readonly tenantId: Uuid;
  readonly deviceId: Uuid;

  protected constructor(
    { tenantId, deviceId }: Pick<DeviceSession, 'tenantId' | 'deviceId'>,
    private readonly connectivity: Pick<Connectivity, 'open'>,
  ) {
    this.tenantId = tenantId;
    this.deviceId = deviceId;
  }

  abstract next(): Promise<Notification | undefined>;

  get about(): { readonly [name: string]: string } & ObservedDevice {
    return { deviceId: this.deviceId, kind: this.kind };
  }

  attach(relation: ObservationHandle): void {
    this.#session = this.connectivity.open(this.deviceId);
    this.observation?.begin();
    this.#relation = relation;
    if (this.#state === 'ended') relation.end(FINAL);
    else if (this.#state === 'ready') relation.ready();
  }

  news(): void {
    if (this.#state === 'open') this.#state = 'ready';
    this.#relation?.ready();
  }

  end(_reason: ObserverEnd): void {
    if (this.#state !== 'closed') this.#state = 'ended';
    this.#relation?.end(FINAL);
  }

  /** The device hears of it and can register again. */
  protected fail(): void {
    if (this.#state !== 'closed') this.#state = 'ended';
    this.#relation?.end(FAILED);
  }

  /** The notification as it is; its traces see it delivered. */
  protected followed(notification: Notification, traces: readonly string[] | undefined): Notification {
    const delivery = Delivery.of(this.kind, this.deviceId, 'coap', traces);
    if (!delivery) return notification;
    this.#delivery = delivery;
    return {
      ...notification,
      sent: () => delivery.run(() => notification.sent?.()),
      delivered: () => {
        delivery.run(() => notification.delivered?.());
        delivery.end('delivered');
        if (this.#delivery === delivery) this.#delivery = undefined;
      },
    };
  }

  closed(_reason: ObservationEnd): void {
    this.#delivery?.end('not delivered');
    this.#delivery = undefined;
    this.#state = 'closed';
    this.#session?.close();
    this.observation?.close();
  }

  protected isClosed(): boolean {
    return this.#state === 'closed';
  }
}
