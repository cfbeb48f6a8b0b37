// Appends messages with a point that is too old and one that is not, deletes a range now and then, and has the retention pass
// without a pause; prints the time of the second point of each message that is acknowledged.
import { openStore } from './open-store.mjs';

const [folder, deviceId, first] = process.argv.slice(2);
const state = await openStore(folder, { historyMaxAge: 86_400_000, retentionInterval: 1 });
await state.materialiser.start();

let next = Number(first);

async function telemetry() {
  for (;;) {
    const ts = next++;
    await state.telemetryLog.append({ deviceId, lines: `${ts % 1_000_000} {"t":1}\n${ts} {"t":${ts},"d":1}` });
    process.stdout.write(`${ts}\n`);
  }
}

for (let lane = 0; lane < 16; lane++) telemetry();
for (;;) {
  await state.materialiser.swept();
  await state.telemetryView.delete(deviceId, 'd', { startTs: 0, endTs: next - 1_000, latest: 'remove' });
}
