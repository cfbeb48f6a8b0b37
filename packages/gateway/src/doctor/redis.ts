import { type Logger, type Millis, type Settings, silentLogger, systemClock } from '@tandem/core';
import type { RedisLook } from '@tandem/state-redis';
import { problemsOf } from '../logging/problems';
import { type Finding, fail, ok, warn } from './finding';

/** A request of a device waits for at least one answer of Redis. */
const SLOW: Millis = 5;
/** Commands and sessions end by the clock of the process that looks at them. */
const CLOCKS_APART: Millis = 2_000;

/** One attempt at what a start does, and what that Redis is like. Nothing is written there. */
export async function checkRedis(settings: Settings): Promise<Finding[]> {
  const address = settings.REDIS_URL;
  if (!address) return [];
  // A client that a gateway with a data folder has no use for.
  const { awaitRedis, lookAtRedis, redisBoundsOf } = await import('@tandem/state-redis');
  const where = address.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
  const about = `REDIS_URL ${where}`;
  const { prefix, timeout, durability, waitReplicas } = redisBoundsOf(settings);
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const oneAttempt = new AbortController();
  let reason: string | undefined;
  try {
    const onWaiting = (why: string) => {
      reason = why;
      oneAttempt.abort(new Error(why));
    };
    const { signal } = oneAttempt;
    await awaitRedis({
      address,
      prefix,
      timeout,
      durability,
      waitReplicas,
      signal,
      onWaiting,
      logger,
      clock: systemClock,
    });
    const look = await lookAtRedis({ address, timeout });
    return [ok(about, descriptionOf(look)), ...warnings.map(warningOf), ...checkDistance(about, look)];
  } catch (error) {
    const texts = reason === undefined ? problemsOf(error) : [reason];
    return texts.map((text) => fail(about, withoutName(text, where), adviceFor(text)));
  }
}

function descriptionOf({ facts, masters, roundTrip }: RedisLook): string {
  const kind = facts.cluster ? `a Cluster of ${masters.length} masters` : 'one server';
  const file = facts.aof ? `appendonly yes, appendfsync ${facts.fsync ?? 'unknown'}` : 'appendonly no';
  return `Redis ${facts.version}, ${kind}, ${file}, maxmemory-policy ${facts.policy}, ${roundTrip.toFixed(2)} ms away`;
}

const warningOf = (text: string): Finding => warn('Redis', text, adviceFor(text));

function checkDistance(about: string, { roundTrip, clockAhead }: RedisLook): Finding[] {
  const findings: Finding[] = [];
  if (roundTrip > SLOW) {
    findings.push(
      warn(
        about,
        `its quickest answer took ${roundTrip.toFixed(1)} ms`,
        'Every request of a device waits for it: put it into the same network.',
      ),
    );
  }
  if (Math.abs(clockAhead) > CLOCKS_APART) {
    const seconds = (Math.abs(clockAhead) / 1_000).toFixed(1);
    findings.push(
      warn(
        'clock',
        `this machine's is ${seconds} s ${clockAhead > 0 ? 'behind' : 'ahead of'} that of Redis`,
        'Let both follow a time server (chrony, systemd-timesyncd).',
      ),
    );
  }
  return findings;
}

/** The line says already where Redis is, and by which setting. */
const withoutName = (text: string, where: string): string =>
  (text.startsWith(`${where} `) ? text.slice(where.length + 1) : text).replace(/ \(REDIS_URL\)$/, '');

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [
    /TLS|certificate/,
    'redis:// speaks without TLS, rediss:// with it; NODE_EXTRA_CA_CERTS=<file.pem> names authorities of your own.',
  ],
  [
    /refuses the connection/,
    'Start Redis there (redis-server --appendonly yes), or name where it is; unset REDIS_URL to keep everything in TANDEM_DATA_DIR.',
  ],
  [/is not known/, 'Look for a typing error in the host; in a container, both have to be in one network.'],
  [
    /cannot be reached|does not answer/,
    'Look at firewalls and networks between here and there; redis-cli -h <host> -p <port> ping is what has to work.',
  ],
  [
    /refuses the user name or the password|wants a password|wants no password/,
    'Put it right in REDIS_URL: redis://[user]:password@host:port; in a password % is written %25, @ %40, / %2F, : %3A.',
  ],
  [/is loading its data/, 'Wait until it has: a gateway waits by itself.'],
  [/maxmemory-policy/, 'redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.'],
  [/append-only|appendfsync/, 'In redis.conf: appendonly yes, and for TANDEM_DURABILITY=power appendfsync always.'],
  [/replica/, 'Name the master, or let replicas be connected: see TANDEM_REDIS_WAIT_REPLICAS.'],
  [/too old/, 'Install Redis 7.0 or newer, or Valkey.'],
  [/does not let this user/, 'Give it the rights: docs/guides/scale-out.md has the ACL.'],
];

const adviceFor = (text: string): string =>
  ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? 'See docs/guides/scale-out.md.';
