import type { FeedMessage, State } from '@tandem/core';
import { aDevice, aProfile, credentialsOf, entriesOf } from '@tandem/core/testing';
import { openRedisState } from '../state';
import { type RedisCluster, startRedisCluster } from '../testing/redis-cluster';
import { optionsFor } from '../testing/redis-store';
import { until } from './testing/until';

describe('The feed of a device on a Cluster', () => {
  let cluster: RedisCluster;
  /** Two processes of one gateway. */
  let here: State;
  let there: State;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    const options = optionsFor(cluster.address);
    here = await openRedisState(options);
    there = await openRedisState({ ...optionsFor(cluster.address), prefix: options.prefix });
  });
  afterAll(async () => {
    await Promise.all([here.close(), there.close()]);
    await cluster.stop();
  });

  /** Tries again while there is no master. */
  async function save(id: string, n: number): Promise<void> {
    await until(async () => {
      try {
        return await there.attributes.save(id, 'CLIENT', entriesOf({ n: `${n}` }), n);
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
        return false;
      }
    });
  }

  it('says what may have been missed when a master died and its replica took over, and goes on', async () => {
    const profile = aProfile();
    await there.devices.createProfile(profile);
    const heard = new Map<string, FeedMessage[]>();
    for (let n = 0; n < 12; n++) {
      const device = aDevice(profile);
      await there.devices.createDevice(device, credentialsOf(device));
      const messages: FeedMessage[] = [];
      heard.set(device.id, messages);
      await here.feed.watch(device.id, (message) => messages.push(message)).mark();
    }
    const said = (id: string, kind: FeedMessage['kind']) => heard.get(id)?.some((message) => message.kind === kind);
    const ids = [...heard.keys()];
    await Promise.all(ids.map((id) => save(id, 1)));
    await until(async () => ids.every((id) => said(id, 'saved')));

    for (const messages of heard.values()) messages.length = 0;
    await cluster.killMaster(0);
    await Promise.all(ids.map((id) => save(id, 2)));
    // Whoever was served by the dead one may have missed it, and is told so; everybody else heard it.
    await until(async () => ids.every((id) => said(id, 'saved') || said(id, 'missed')));
    expect(ids.some((id) => said(id, 'missed'))).toBe(true);
    for (const id of ids) {
      expect((await here.attributes.read(id, 'CLIENT')).map(({ value }) => value)).toEqual(['2']);
    }

    for (const messages of heard.values()) messages.length = 0;
    await Promise.all(ids.map((id) => save(id, 3)));
    await until(async () => ids.every((id) => said(id, 'saved') || said(id, 'missed')));
  }, 60_000);
});
