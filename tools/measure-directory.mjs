#!/usr/bin/env node
// What the directory of devices costs (docs/adr/0034): memory, the time to make it, and single calls, of a tenant with so many
// devices in memory. Build before. Usage: node --expose-gc tools/measure-directory.mjs [devices]
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const { DeviceDirectory, MetricsRegistry, systemClock, NULL_UUID } = createRequire(import.meta.url)('../packages/core');
const count = Number(process.argv[2] ?? 100_000);
const tenantId = randomUUID();
const [deviceProfileId, text] = [randomUUID(), JSON.stringify];

/** As a store keeps them: every read gives new texts. */
const stored = Array.from({ length: count }, (_, n) =>
  text({
    id: randomUUID(),
    createdTime: 1_700_000_000_000 + n,
    tenantId,
    customerId: NULL_UUID,
    name: `Line ${String(Math.floor(n / 100)).padStart(4, '0')} sensor ${String(n % 100).padStart(3, '0')}`,
    type: 'default',
    label: null,
    deviceProfileId,
    additionalInfo: null,
    firmwareId: null,
    softwareId: null,
    version: 1,
  }),
);
const byId = new Map(stored.map((device) => [JSON.parse(device).id, device]));
const source = {
  async *all() {
    for (let from = 0; from < stored.length; from += 1_000)
      yield stored.slice(from, from + 1_000).map((t) => JSON.parse(t));
  },
  read: async (ids) => ids.map((id) => JSON.parse(byId.get(id))),
  profileName: async () => 'default',
  upToDate: async () => {},
  giveWay: async () => {},
};
const heap = () => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
};
const directory = new DeviceDirectory(source, { maxDevices: 1e9, clock: systemClock, metrics: new MetricsRegistry() });
const list = (query) => directory.list(tenantId, { page: 0, pageSize: 100, ...query });
async function step(name, times, work) {
  const before = heap();
  const { user, system } = process.cpuUsage();
  for (let n = 0; n < times; n++) await work(n);
  const used = process.cpuUsage({ user, system });
  const micros = (used.user + used.system) / times;
  const bytes = times === 1 ? `, ${((heap() - before) / count).toFixed(0)} bytes a device` : '';
  process.stdout.write(
    `${name}: ${micros < 10_000 ? `${micros.toFixed(1)} us` : `${(micros / 1_000).toFixed(0)} ms`}${bytes}\n`,
  );
}
const ids = [...byId.keys()];
function afterChange(n, query) {
  directory.deviceChanged(ids[n]);
  return list(query);
}
await step('first list: read and put into an order', 1, () => list());
await step('first search: names indexed', 1, () => list({ textSearch: 'xxx' }));
await step('first list by name', 1, () => list({ sortProperty: 'name' }));
await step('a page', 20_000, (n) => list({ page: n % Math.ceil(count / 100) }));
await step('a text of 100 devices, never asked for before', 900, (n) =>
  list({ textSearch: `${String(n).padStart(4, '0')} SEN` }),
);
await step('a text of 100 devices, asked for before', 20_000, (n) =>
  list({ textSearch: `${String(n % 900).padStart(4, '0')} SEN` }),
);
await step('a text of all devices after a change', 100, (n) => afterChange(n, { textSearch: 'sensor' }));
await step('a change and a page', 1_000, (n) => afterChange(n));
directory.close();
