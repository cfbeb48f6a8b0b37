// Ends the materialiser's thread again and again; prints at the end how often that was, how many messages were appended
// and how many are in the view, and how many of them a watcher was told of and how often it may have missed some. The thread is ended while it waits: lmdb does not give back the lock of a thread that is
// ended within a transaction.
import { once } from 'node:events';
import { openStore } from './open-store.mjs';

const ROUNDS = 5;
const MESSAGES = 500;
const [folder, deviceId] = process.argv.slice(2);

/** The delayed restart, to be let go by hand. */
let restart;
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(_delay, fire) {
    restart = fire;
    return { cancel() {} };
  },
};

const workers = [];
process.on('worker', (worker) => {
  const idle = new Promise((resolve) => {
    worker.on('message', ({ kind }) => kind === 'idle' && resolve());
  });
  workers.push({ worker, idle });
});

const state = await openStore(folder, { clock });
await state.materialiser.start();
let appended = 0;
const feed = { told: 0, missed: 0 };
const watch = state.feed.watch(deviceId, ({ kind }) => {
  if (kind === 'telemetry') feed.told++;
  if (kind === 'missed') feed.missed++;
});
await watch.mark();

async function append(count) {
  const appends = [];
  for (let n = 0; n < count; n++) {
    const ts = appended++;
    appends.push(state.telemetryLog.append({ deviceId, lines: `${ts} {"k":${ts}}` }));
  }
  await Promise.all(appends);
}

for (let round = 0; round < ROUNDS; round++) {
  const { worker, idle } = workers.at(-1);
  await idle;
  const exited = once(worker, 'exit');
  worker.terminate();
  await exited;
  await append(MESSAGES);
  restart();
  await state.materialiser.caughtUp();
}

const points = await state.telemetryView.history(deviceId, 'k', {
  startTs: 0,
  endTs: appended,
  limit: appended * 2,
  order: 'ASC',
});
const backlog = state.telemetryLog.backlog();
await state.close();
process.stdout.write(
  `${JSON.stringify({ rounds: workers.length - 1, appended, inView: points.length, backlog, ...feed })}\n`,
);
