import { Keys } from '../keys';
import { type Call, type Node, nameOf } from './probe';
import { NotYetError } from './reasons';

const SCRIPT = "#!lua\nredis.call('HGET', KEYS[1], 'id') return 1";
const REFUSAL = /^NOPERM\b.*?\b(command|keys?|channels?)\b/;

export interface Rights {
  /** First part of our keys and channels; without it nothing is tried. */
  readonly prefix?: string;
  readonly waitReplicas: number;
}

/**
 * Tries what the gateway will do: scripts on our keys, and both ends of our channels. The connection subscribes in doing
 * so, which makes this the last thing on it.
 * @throws NotYetError naming what the user of `REDIS_URL` may not do
 */
export async function tryRights(call: Call, node: Node, cluster: boolean, rights: Rights): Promise<void> {
  const { prefix } = rights;
  if (prefix === undefined) return;
  const refused: string[] = [];
  for (const [command, ...args] of attempts(new Keys(prefix), cluster, rights.waitReplicas)) {
    // ioredis knows a subscription by its name in small letters only.
    const what = await refusalOf(call(command.toLowerCase(), ...args));
    if (what === 'command') refused.push(command);
    else if (what !== undefined) refused.push(`${command} on ${prefix}:*`);
  }
  if (refused.length === 0) return;
  throw new NotYetError(`${nameOf(node)} does not let this user do ${refused.join(', ')} (REDIS_URL)`);
}

type Attempt = readonly [command: string, ...args: string[]];

function attempts(keys: Keys, cluster: boolean, waitReplicas: number): readonly Attempt[] {
  const meta = keys.registry('meta');
  const channel = keys.registry('wake');
  return [
    ['EVAL', SCRIPT, '1', meta],
    ['EVALSHA', '0'.repeat(40), '1', meta],
    ...(waitReplicas > 0 ? [['WAIT', '0', '1'] as const] : []),
    ['PUBSUB', cluster ? 'SHARDNUMSUB' : 'NUMSUB', channel],
    // A message that wakes nobody.
    [cluster ? 'SPUBLISH' : 'PUBLISH', channel, 'probe'],
    [cluster ? 'SSUBSCRIBE' : 'SUBSCRIBE', channel],
  ];
}

/** A slot of another node, a script nobody has: whatever is not refused to the user is permitted. */
async function refusalOf(answer: Promise<unknown>): Promise<string | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (/timed out|closed/.test(message)) throw error;
    return message.startsWith('NOPERM') ? (REFUSAL.exec(message)?.[1] ?? 'command') : undefined;
  }
}
