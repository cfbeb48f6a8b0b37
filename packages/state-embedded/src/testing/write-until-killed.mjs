// Writes at full speed and prints each id once it is acknowledged: `t <id>` for telemetry, `a <id>` for attributes.
import { openStore } from './open-store.mjs';

const [folder, deviceId, first] = process.argv.slice(2);
const state = await openStore(folder);
await state.materialiser.start();

let next = Number(first);
const acknowledge = (kind, id) => process.stdout.write(`${kind} ${id}\n`);

async function telemetry() {
  for (;;) {
    const id = next++;
    await state.telemetryLog.append({ deviceId, lines: `${id} {"id":${id}}` });
    acknowledge('t', id);
  }
}

async function attributes() {
  for (;;) {
    const id = next++;
    const entries = [
      { key: 'id', value: String(id) },
      { key: `a${id}`, value: String(id) },
    ];
    await state.attributes.save(deviceId, 'SHARED', entries, id);
    acknowledge('a', id);
  }
}

for (let lane = 0; lane < 32; lane++) telemetry();
for (let lane = 0; lane < 4; lane++) attributes();
