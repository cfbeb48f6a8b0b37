// Ends the materialiser's thread in the middle of a backlog, a few times; prints at the end how often that was, and how many
// messages were appended and are in the view. In a process of its own, where the built worker can be got hold of.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { MetricsRegistry, silentLogger, systemClock } = require('@tandem/core');
const { Commands, closeClient, openClient } = require('../../../dist/client/index.js');
const { Keys } = require('../../../dist/keys.js');
const { RedisMaterialiser, RedisTelemetryLog, RedisTelemetryView } = require('../../../dist/telemetry/index.js');

const ROUNDS = 3;
const MESSAGES = 5_000;
const [port, deviceId] = process.argv.slice(2);
const address = { nodes: [{ host: '127.0.0.1', port: Number(port) }], tls: false, database: 0 };
const connection = { address, cluster: false, timeout: 5_000 };
const bounds = {
  prefix: 'tandem',
  waitReplicas: 0,
  timeout: 5_000,
  backlogMax: 1_000_000,
  maxInFlightBytes: 64_000_000,
  historyMax: 1_000_000,
  historyMaxAge: 0,
  retentionInterval: 3_600_000,
  telemetryKeysMax: 10_000,
  partitions: 4,
  consumerGroupTtl: 86_400_000,
};

const workers = [];
process.on('worker', (worker) => workers.push(worker));

const client = openClient(connection, silentLogger);
const commands = new Commands(client, client, { ...bounds, logger: silentLogger });
const keys = new Keys(bounds.prefix);
const shared = {
  commands,
  client,
  keys,
  connection,
  bounds,
  processId: 'one',
  clock: systemClock,
  logger: silentLogger,
};
const metrics = new MetricsRegistry();
const log = await RedisTelemetryLog.open({ ...shared, metrics });
const materialiser = new RedisMaterialiser({ ...shared, metrics, log });
let appended = 0;

async function append(count) {
  const appends = [];
  for (let n = 0; n < count; n++) {
    const ts = appended++;
    appends.push(log.append({ deviceId, lines: `${ts} {"k":${ts}}` }));
  }
  await Promise.all(appends);
}

await materialiser.start();
for (let round = 0; round < ROUNDS; round++) {
  const worker = workers.at(-1);
  const moving = new Promise((resolve) => {
    worker.on('message', ({ kind, length }) => kind === 'moved' && length > 0 && resolve());
  });
  await append(MESSAGES);
  await moving;
  await worker.terminate();
  await materialiser.caughtUp();
}
const query = { startTs: 0, endTs: appended, limit: appended * 2, order: 'ASC' };
const points = await new RedisTelemetryView(commands, keys).history(deviceId, 'k', query);
const backlog = log.backlog();
await log.close();
await commands.close();
await materialiser.close();
await closeClient(client);
process.stdout.write(JSON.stringify({ ended: workers.length - 1, appended, inView: points.length, backlog }));
