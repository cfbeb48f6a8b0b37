import type { EpochMillis, Millis, Uuid } from '@tandem/core';
import type { RpcRegistrations } from './rpc-registrations';

/** How long to rest after a piece. */
const REST: Millis = 60_000;

/**
 * Registrations whose command is gone and that never lapse: a process leaves one that dies when it has removed a persistent
 * command that was final, and before it forgets where that was. All registrations are looked at in turn, a piece a minute.
 */
export class LeftRegistrations {
  #cursor = '0';
  #next: EpochMillis = 0;

  /** @param isThere whether there is a command where its registration says that it is */
  constructor(
    private readonly registrations: RpcRegistrations,
    private readonly isThere: (deviceId: Uuid, id: Uuid) => Promise<boolean>,
  ) {}

  /** To be called regularly: looks at the next piece when it is time for that. What fails is done the next time round. */
  async clear(now: EpochMillis): Promise<void> {
    if (now < this.#next) return;
    this.#next = now + REST;
    const { cursor, piece } = await this.registrations.scan(this.#cursor);
    this.#cursor = cursor;
    await Promise.allSettled(
      piece.map(async ({ id, registration }) => {
        if (registration && (await this.isThere(registration.deviceId, id))) return;
        await this.registrations.clear(id, registration);
      }),
    );
  }
}
