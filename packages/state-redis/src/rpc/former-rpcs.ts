import { isFinal, type Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';
import { RPC_STATES } from './rpc-fields';
import { rpcKeys } from './rpc-keys';
import type { RpcRegistrations } from './rpc-registrations';

const RELIST = loadScript('rpc-relist');
/** Commands that one script looks at: Redis does nothing else meanwhile. */
const PIECE = 500;

/** `,1FAILED,3FAILED,`: the final states of persistent commands, each behind its form. */
const FINAL = `,${[false, true]
  .flatMap((oneway) =>
    RPC_STATES.filter((status) => isFinal({ status, oneway, persistent: true })).map(
      (status) => `${oneway ? 3 : 1}${status}`,
    ),
  )
  .join(',')},`;

/** Persistent commands that an earlier version created: it had no lists of them. */
export class FormerRpcs {
  constructor(
    private readonly commands: Commands,
    private readonly keys: Keys,
    private readonly registrations: Pick<RpcRegistrations, 'finish'>,
  ) {}

  /** Resolves when those of the device are listed: once for each device, piece by piece. */
  async listed(deviceId: Uuid): Promise<void> {
    const { log, all, kept, finished, hashes } = rpcKeys(this.keys, deviceId);
    const { client } = this.commands;
    if ((await this.commands.during(() => client.hexists(log, 'rpcs-listed'))) === 1) return;
    for (let after = '-inf'; ; ) {
      const args = [hashes, after, PIECE, FINAL];
      const [last, ...ended] = await this.commands.write<string[]>(RELIST, [log, all, kept, finished], args);
      if (last === undefined) return;
      // Nobody noted since when they are final: it was before they would have lapsed.
      for (let i = 0; i + 1 < ended.length; i += 2) {
        await this.registrations.finish(ended[i] ?? '', Number(ended[i + 1]));
      }
      after = `(${last}`;
    }
  }
}
