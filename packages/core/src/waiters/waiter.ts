import type { Uuid } from '../devices/model';
import type { ObservedKind } from '../state/device-events';

/** How a device waits. */
export type WaiterProtocol = (typeof WAITER_PROTOCOLS)[number];
export const WAITER_PROTOCOLS = ['http', 'coap', 'coaps'] as const;

/** A device that waits for what the server side says to it: an open poll, or an observation. Nothing in it lets anybody act for it. */
export interface Waiter {
  readonly deviceId: Uuid;
  readonly protocol: WaiterProtocol;
  readonly kind: ObservedKind;
  /** `address:port`, an IPv6 address in brackets: of the connection, so perhaps of a proxy. */
  readonly peer: string;
  readonly ageSeconds: number;
  /** `waiting` of a poll; of an observation what its relation does at the moment. */
  readonly state: string;
  /** Sent since the registration; 0 of a poll, which ends with the first. */
  readonly notifications: number;
}

/** One of those there are. What it costs to describe it is paid for those alone that are shown. */
export interface WaiterHere extends Pick<Waiter, 'deviceId' | 'protocol'> {
  readonly tenantId: Uuid;
  describe(): Waiter;
}

/** Those of one door, oldest first. Whatever begins or ends while they are gone through may be among them or not. */
export type WaiterSource = () => Iterable<WaiterHere>;

/** As others write `address:port`. */
export const peerText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
