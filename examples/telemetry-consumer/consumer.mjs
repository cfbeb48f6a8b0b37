// Reads all telemetry streams with a consumer group of its own and hands every message to a sink, at least once, and in
// order for each device. Start it as often as you like: the processes share the streams, and those of one that dies go
// to the others. docs/guides/consume-telemetry.md tells why it is built so. On a Cluster REDIS_URL is a comma list.
//
//   REDIS_URL=redis://10.0.0.5 CONSUMER_GROUP=rule-engine node consumer.mjs
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';

const { REDIS_URL = 'redis://127.0.0.1', TANDEM_REDIS_PREFIX = 'tandem', CONSUMER_GROUP = 'rule-engine' } = process.env;
/** A process that is not heard of for so long has died: its streams go to the others. */
const LEASE_MS = Number(process.env.LEASE_MS ?? 10_000);
/** Messages handed over at once; so many can come again when a process dies. */
const BATCH = Number(process.env.BATCH ?? 100);
const IDLE_MS = 100;
/** The module that takes the messages: relative to this file, or an absolute path. */
const { take } = await import(new URL(process.env.SINK ?? 'sink.mjs', import.meta.url));
const ME = process.env.CONSUMER_NAME ?? randomUUID();

// Takes or keeps the stream for this process and reads from it in one step: a process that was asleep for longer than its
// lease must not take entries out of a stream that another one reads by now. Who takes over begins with what the one
// before had in hand, which it finds as pending since all processes are one consumer.
// KEYS stream, lease   ARGV process, lease in milliseconds, group, id to read from, entries
const READ = `
  local owner = redis.call('GET', KEYS[2])
  if owner and owner ~= ARGV[1] then return false end
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  local from = owner and ARGV[4] or '0'
  local reply = redis.call('XREADGROUP', 'GROUP', ARGV[3], 'owner', 'COUNT', ARGV[5], 'STREAMS', KEYS[1], from)
  return { from, reply and reply[1][2] or {} }`;
// KEYS lease   ARGV process, milliseconds: 0 gives it back
const KEEP = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;
// Who is there, this process included.   KEYS members   ARGV process, lease in milliseconds
const MEMBERS = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
  return redis.call('ZRANGE', KEYS[1], 0, -1)`;

const nodes = REDIS_URL.split(',');
const { protocol, username, password } = new URL(nodes[0]);
const redisOptions = {
  username: decodeURIComponent(username) || undefined,
  password: decodeURIComponent(password) || undefined,
  tls: protocol === 'rediss:' ? {} : undefined,
};
const redis =
  nodes.length > 1 ? new Cluster(nodes, { redisOptions }) : new Redis(REDIS_URL, { maxRetriesPerRequest: null });
redis.on('error', (error) => process.stderr.write(`${error.message}\n`));
redis.defineCommand('readStream', { numberOfKeys: 2, lua: READ });
redis.defineCommand('keepLease', { numberOfKeys: 1, lua: KEEP });
redis.defineCommand('whoIsThere', { numberOfKeys: 1, lua: MEMBERS });

const streamOf = (partition) => `${TANDEM_REDIS_PREFIX}:telemetry:{${partition}}`;
/** In the slot of the stream, as the braces hold the same. */
const leaseOf = (partition) => `${CONSUMER_GROUP}:lease:{${partition}}`;

const followed = new Map();
/** Until when this process is sure to have a stream, by its own clock. */
const heldUntil = new Map();
let members = [];
let stopping = false;

const isMine = (partition) => !stopping && members[partition % members.length] === ME;

/** One stream, for as long as the process runs; it reads while the stream falls to this process. */
async function follow(partition) {
  const [stream, lease] = [streamOf(partition), leaseOf(partition)];
  let from = '0';
  while (!stopping) {
    try {
      if (!isMine(partition)) {
        if (heldUntil.delete(partition)) await redis.keepLease(lease, ME, 0);
        await pause(IDLE_MS);
        continue;
      }
      const asked = performance.now();
      const reply = await redis.readStream(stream, lease, ME, LEASE_MS, CONSUMER_GROUP, from, BATCH);
      if (!reply) {
        heldUntil.delete(partition);
        await pause(IDLE_MS);
        continue;
      }
      heldUntil.set(partition, asked + LEASE_MS);
      const [read, entries] = reply;
      if (entries.length > 0) {
        await handOver(partition, entries);
        await redis.xack(stream, CONSUMER_GROUP, ...entries.map(([id]) => id));
      } else if (read === '>') await pause(IDLE_MS);
      from = entries.length > 0 ? read : '>';
    } catch (error) {
      process.stderr.write(`${stream}: ${error.message}\n`);
      from = '0';
      // The group was ended after TANDEM_CONSUMER_GROUP_TTL, or Redis was started empty: what is left is read.
      if (error.message.includes('NOGROUP')) await createGroup(partition, '0').catch(() => {});
      await pause(1_000);
    }
  }
  if (heldUntil.delete(partition)) await redis.keepLease(lease, ME, 0);
}

/** Entries that are gone, or that another program has put there, are passed over. */
async function handOver(partition, entries) {
  const messages = entries
    .filter(([, fields]) => fields?.[0] === 'd' && fields[2] === 'm')
    .map(([id, [, device, , records]]) => ({ partition, id, device, records }));
  if (performance.now() > heldUntil.get(partition)) throw new Error('another process has the stream by now');
  if (messages.length > 0) await take(messages);
}

/** From `0`: what is there already as well. From `$`: what comes from now on. */
async function createGroup(partition, from) {
  await redis.xgroup('CREATE', streamOf(partition), CONSUMER_GROUP, from, 'MKSTREAM').catch((error) => {
    if (!error.message.includes('BUSYGROUP')) throw error;
  });
}

/** Says that this process is there, hears who else is, and keeps the streams it has while its sink takes its time. */
async function beat() {
  members = (await redis.whoIsThere(`${CONSUMER_GROUP}:members`, ME, LEASE_MS)).sort();
  for (const partition of heldUntil.keys()) {
    const asked = performance.now();
    if (await redis.keepLease(leaseOf(partition), ME, LEASE_MS)) heldUntil.set(partition, asked + LEASE_MS);
  }
  // Known from the first start of a gateway on; another number only after Redis was started empty.
  const partitions = Number(await redis.hget(`${TANDEM_REDIS_PREFIX}:{registry}:meta`, 'partitions'));
  for (let partition = 0; partition < partitions; partition += 1) {
    if (followed.has(partition)) continue;
    await createGroup(partition, process.env.FROM ?? '0');
    followed.set(partition, follow(partition));
  }
}

const stop = () => {
  stopping = true;
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
while (!stopping) {
  await beat().catch((error) => process.stderr.write(`${error.message}\n`));
  await pause(LEASE_MS / 5);
}
await Promise.all(followed.values());
await redis.zrem(`${CONSUMER_GROUP}:members`, ME);
redis.disconnect();
