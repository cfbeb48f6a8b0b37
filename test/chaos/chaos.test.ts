import { cleanUp } from '../support/gateway-process';
import { faults } from './faults';
import { DEVICES, runRound } from './round';
import { World } from './world';

/** Shorter than in `npm run chaos`, and still longer than a gateway waits for Redis. */
const PAUSE = 4_000;

describe.each(['standalone', 'cluster'] as const)('Under load over both protocols, on a %s Redis', (store) => {
  let world: World;
  let rounds = 0;

  beforeAll(async () => {
    world = await World[store]();
  }, 60_000);
  afterAll(async () => {
    await world.stop();
    await cleanUp();
  });

  it.each(faults(PAUSE).filter((fault) => fault.store === store))(
    '$name costs time, and nothing that was acknowledged',
    async (fault) => {
      const result = await runRound(world, fault, ++rounds);
      expect(result).toMatchObject({ lost: 0, duplicated: 0, notShown: 0, commandsLost: 0, stale: 0, complaints: [] });
      expect(result.acknowledged).toBeGreaterThan(100);
      expect(result.commands).toBeGreaterThan(DEVICES);
    },
    120_000,
  );
});
