// What the feed of a device costs Redis where telemetry gets into the view (adr/0026): microseconds of Redis for each call
// of telemetry-apply.lua, as Redis itself counts them, without the feed, with it and nobody watching, and watched.
// Needs a build and redis-server in the path: node tools/measure-feed.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { Redis } = require('ioredis');
const { loadScript } = require('../packages/state-redis/dist/client/scripts.js');
const { Keys } = require('../packages/state-redis/dist/keys.js');
const { nextCall } = require('../packages/state-redis/dist/telemetry/view-call.js');

const ROUNDS = 30;
const CALLS = 500;
const DEVICES = 64;
/** Another one for each run: a server that a run left behind knows the messages already. */
const PORT = 20_000 + (process.pid % 40_000);

const folder = mkdtempSync(join(tmpdir(), 'tandem-feed-'));
const args = ['--port', String(PORT), '--save', '', '--appendonly', 'no', '--dir', folder, '--bind', '127.0.0.1'];
const server = spawn('redis-server', args, { stdio: 'ignore' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
process.on('exit', () => server.kill());
const redis = new Redis({ port: PORT });
redis.on('error', () => {});
await new Promise((resolve) => redis.once('ready', resolve));

const keys = new Keys('measure');
const { source } = loadScript('telemetry-apply');
const without = source.replace(/local watched = isWatched\(.*\)/, 'local watched = false');
if (without === source) throw new Error('the script does not ask whether it is watched');
const idOf = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
for (let n = 0; n < DEVICES; n++) await redis.hset(keys.device(idOf(n), 'log'), 'epoch', 'e');
const subscriber = new Redis({ port: PORT });
let heard = 0;
subscriber.on('message', () => heard++);

let sequence = 0;
/** @param size messages in a call, as many as a device has sent since the step before */
async function round(script, size, watched) {
  const sha = await redis.script('LOAD', script);
  await redis.config('RESETSTAT');
  for (let call = 0; call < CALLS; call++) {
    const entries = Array.from({ length: size }, () => {
      const ts = 1_700_000_000_000 + ++sequence;
      return [
        `${ts}-0`,
        ['d', idOf(call % DEVICES), 'm', `${ts} {"temperature":21.5,"humidity":48,"state":"running"}`],
      ];
    });
    const made = nextCall(keys, idOf(call % DEVICES), entries, {
      ...{ historyMax: 1_000, keysMax: 1_000, again: false, life: 'l', publish: 'PUBLISH', foreign: new Set() },
      watched,
    });
    await redis.evalsha(sha, made.keys.length, ...made.keys, ...made.args);
  }
  const [, usec] = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info('commandstats')) ?? [];
  return Number(usec) / CALLS;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
for (const size of [1, 20]) {
  const times = { without: [], unwatched: [], watched: [] };
  for (let n = 0; n < ROUNDS; n++) {
    times.without.push(await round(without, size, false));
    times.unwatched.push(await round(source, size, false));
    await subscriber.subscribe(...Array.from({ length: DEVICES }, (_, d) => keys.feedChannel(idOf(d))));
    times.watched.push(await round(source, size, true));
    await subscriber.unsubscribe();
  }
  const shown = Object.entries(times).map(([name, values]) => `${name} ${median(values).toFixed(1)} us`);
  process.stdout.write(`${size} messages a call: ${shown.join(', ')}\n`);
}
process.stdout.write(`${heard} of ${ROUNDS * CALLS * 21} messages were heard\n`);
redis.disconnect();
subscriber.disconnect();
server.once('exit', () => rmSync(folder, { recursive: true }));
server.kill();
