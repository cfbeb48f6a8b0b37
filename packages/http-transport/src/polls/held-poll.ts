import {
  type Clock,
  type DeviceSession,
  type Millis,
  type ObservedKind,
  peerText,
  type WaiterHere,
} from '@tandem/core';
import type { Exchange } from '../requests/exchange';
import { HeldRequest } from './held-request';

interface PollAbout {
  readonly session: DeviceSession;
  readonly kind: ObservedKind;
  /** Monotonic. */
  readonly since: Millis;
}

/** A long poll, which can be shown. */
export class HeldPoll extends HeldRequest {
  constructor(
    exchange: Exchange,
    holders: Set<HeldPoll>,
    free: () => void,
    private readonly about: PollAbout,
  ) {
    super(exchange, holders, free);
  }

  asWaiter(clock: Clock): WaiterHere {
    const { session, kind, since } = this.about;
    const { tenantId, deviceId } = session;
    const describe = () => {
      const { remoteAddress = 'unknown', remotePort = 0 } = this.exchange.request.socket;
      // Of a dual-stack socket.
      const peer = peerText(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, ''), remotePort);
      const ageSeconds = Math.floor((clock.monotonic() - since) / 1_000);
      return { deviceId, protocol: 'http', kind, peer, ageSeconds, state: 'waiting', notifications: 0 } as const;
    };
    return { deviceId, tenantId, protocol: 'http', describe };
  }
}
