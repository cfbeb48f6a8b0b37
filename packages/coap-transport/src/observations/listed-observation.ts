import { type ObservedKind, peerText, type Uuid, type WaiterHere, type WaiterProtocol } from '@tandem/core';
import type { ObservationInfo } from '../endpoint/index';
import { DeviceSource } from './device-source';

/** An observation as an operator sees it; nothing in it lets anybody act for the device. */
export interface ListedObservation {
  readonly deviceId: Uuid;
  readonly kind: ObservedKind;
  /** `address:port`, an IPv6 address in brackets. */
  readonly peer: string;
  /** The CoAP token in hexadecimal, which is no secret: it tells the observations of one peer apart. */
  readonly token: string;
  /** Of its notifications, as registered. */
  readonly type: 'CON' | 'NON';
  /** The Observe number of the last message. */
  readonly number: number;
  readonly ageSeconds: number;
  /** Since a notification was last acknowledged; null: never. */
  readonly lastAckSeconds: number | null;
  /** `idle`, `queued`, `parked`, `pulling` or `outstanding`. */
  readonly state: string;
  /** Notifications since the registration, without repetitions. */
  readonly notifications: number;
  /** Smoothed, of the peer; null: not measured. */
  readonly roundTripMillis: number | null;
}

export function* listed(observations: Iterable<ObservationInfo>): Generator<ListedObservation> {
  for (const observation of observations) {
    const { source, peer } = observation;
    if (!(source instanceof DeviceSource)) continue;
    yield {
      ...source.about,
      peer: peerText(peer.address, peer.port),
      token: observation.token,
      type: observation.confirmable ? 'CON' : 'NON',
      number: observation.number,
      ageSeconds: observation.age,
      lastAckSeconds: observation.sinceAcknowledged ?? null,
      state: observation.state,
      notifications: observation.notifications,
      roundTripMillis: observation.roundTrip ?? null,
    };
  }
}

/** As those see them who may see some of them. */
export function* waiters(observations: Iterable<ObservationInfo>, protocol: WaiterProtocol): Generator<WaiterHere> {
  for (const { source, peer, age, state, notifications } of observations) {
    if (!(source instanceof DeviceSource)) continue;
    const { deviceId, tenantId, kind } = source;
    const describe = () => ({
      deviceId,
      protocol,
      kind,
      peer: peerText(peer.address, peer.port),
      ageSeconds: age,
      state,
      notifications,
    });
    yield { deviceId, tenantId, protocol, describe };
  }
}
