import { eventually } from '../support/eventually';
import { type LossyDevice, LossyWorld } from './lossy-world';
import { ObservingDevice } from './observing-device';

const DEVICES = 6;
const WRITES = 60;
const COMMANDS = 5;
/** How long a device waits for a message before it registers again (ms). */
const SILENCE = 600;
/** Between two writes to a device (ms): the link is busy while they go on. */
const PACE = 20;

let world: LossyWorld;
beforeAll(async () => {
  world = await LossyWorld.start();
});
afterAll(() => world.stop());

/** Saves and deletes the shared attributes `a0` to `a6` of one device, and changes its port twice meanwhile. */
async function write({ id, link }: LossyDevice): Promise<void> {
  for (let i = 0; i < WRITES; i++) {
    const key = `a${i % 7}`;
    if (i % 5 === 4) await world.server.unshare(id, [key]);
    else await world.server.share(id, { [key]: i, both: i });
    if (i === WRITES / 3 || i === (2 * WRITES) / 3) await link.changePort();
    await new Promise((resolve) => setTimeout(resolve, PACE));
  }
}

/** @returns the ids of the commands */
async function command({ id }: LossyDevice): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < COMMANDS; i++) ids.push(await world.server.persistentCommand(id, 'do', i));
  return ids;
}

const sorted = (attributes: Record<string, unknown>) => JSON.stringify(Object.entries(attributes).sort());

/** Resolves when the device knows what the server knows. */
async function upToDate(device: LossyDevice, observer: ObservingDevice): Promise<void> {
  const wanted = sorted(await world.server.attributes(device.id, 'SHARED_SCOPE'));
  await eventually(() => {
    const known = sorted(observer.attributes);
    return known === wanted ? undefined : `the device knows ${known}, not ${wanted}`;
  });
}

async function successful(commands: readonly string[]): Promise<void> {
  await eventually(async () => {
    const statuses = await Promise.all(commands.map((id) => world.server.persistentStatus(id)));
    return statuses.every((status) => status === 'SUCCESSFUL') ? undefined : `the commands are ${statuses}`;
  });
}

describe('A device that observes over a bad link, whose port changes, and that registers again as RFC 7641 says', () => {
  it.each([
    ['Confirmable', true, 3_000],
    ['Non-confirmable', false, 4_000],
  ])(
    'ends with the last state of every attribute and every command (%s notifications)',
    async (_, confirmable, seed) => {
      const devices = await world.devices(DEVICES, seed);
      const outcomes = await Promise.all(
        devices.map(async (device) => {
          const observer = new ObservingDevice(device, SILENCE, confirmable);
          observer.start();
          const [commands] = await Promise.all([command(device), write(device)]);
          await upToDate(device, observer);
          await successful(commands);
          observer.stop();
          return { reached: [...observer.commands.keys()].sort(), registrations: observer.registrations };
        }),
      );
      const all = Array.from({ length: COMMANDS }, (_, i) => i);
      for (const { reached, registrations } of outcomes) {
        expect(reached).toEqual(all);
        // Two ports were left, on each of which both observations were.
        expect(registrations).toBeGreaterThanOrEqual(4);
      }
      for (const { link } of devices) expect(link.down.lost).toBeGreaterThan(0);
    },
    60_000,
  );
});
