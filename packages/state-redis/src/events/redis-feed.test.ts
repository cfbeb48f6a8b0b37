import type { FeedMessage, FeedWatch, State, Uuid } from '@tandem/core';
import { aDevice, aMessage, aProfile, credentialsOf, entriesOf } from '@tandem/core/testing';
import { openRedisState } from '../state';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { optionsFor } from '../testing/redis-store';

let server: RedisServer;
/** Two processes of one gateway. */
let here: State;
let there: State;
let device: Uuid;
let prefix: string;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

beforeEach(async () => {
  const options = optionsFor(server.address);
  prefix = options.prefix;
  [here, there] = await Promise.all([
    openRedisState(options),
    openRedisState({ ...optionsFor(server.address), prefix }),
  ]);
  const profile = aProfile();
  await there.devices.createProfile(profile);
  const made = aDevice(profile);
  await there.devices.createDevice(made, credentialsOf(made));
  device = made.id;
});
afterEach(() => Promise.all([here.close(), there.close()]));

class Ear {
  readonly heard: FeedMessage[] = [];
  readonly watch: FeedWatch;
  #look = () => {};

  constructor(state: State) {
    this.watch = state.feed.watch(device, (message) => {
      this.heard.push(message);
      this.#look();
    });
  }

  until(kind: FeedMessage['kind'], count = 1): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (this.heard.filter((message) => message.kind === kind).length >= count) resolve();
      };
      this.#look();
    });
  }

  get kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }
}

async function ear(state = here): Promise<Ear> {
  const own = new Ear(state);
  await own.watch.mark();
  return own;
}

const save = (n: number) => there.attributes.save(device, 'SERVER', entriesOf({ n: `${n}` }), n);
const append = (n: number, values = { n: `${n}` }) => there.telemetryLog.append(aMessage({ id: device }, n, values));
/** What Redis has published so far, and to how many channels somebody listens. */
const channels = async () =>
  (await server.cli('PUBSUB', 'CHANNELS', `${prefix}:*:feed`)).trim().split('\n').filter(Boolean);

describe('The feed of a device in Redis', () => {
  it.each([
    ['the process that watches', () => here],
    ['the one that writes', () => there],
  ])('hears what another process writes, whoever materialises: %s', async (_who, materialiser) => {
    await materialiser().materialiser.start();
    const own = await ear();
    await append(1);
    await own.until('telemetry');
    await there.attributes.save(device, 'CLIENT', entriesOf({ n: '2' }), 2);
    await there.attributes.delete(device, 'CLIENT', ['n'], 3);
    await own.until('deleted');
    await there.devices.deleteDevice(device);
    await own.until('gone');
    expect(own.kinds).toEqual(['telemetry', 'saved', 'deleted', 'gone']);
  });

  it('says so when messages may have been lost with the connection, and then goes on', async () => {
    const own = await ear();
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await save(1);
    await own.until('missed');
    expect(await own.watch.mark()).toBe(own.kinds.filter((kind) => kind === 'saved').length);
    const before = own.kinds.filter((kind) => kind === 'saved').length;
    await save(2);
    await own.until('saved', before + 1);
  });

  it('gives a mark as soon as it hears, also where the connection was lost meanwhile', async () => {
    const own = new Ear(here);
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await own.watch.mark();
    await save(1);
    await own.until('saved');
  });

  it('says now and then that something may have been missed, since nobody can know', async () => {
    const options = { ...optionsFor(server.address, { rereadInterval: 50 }), prefix };
    const third = await openRedisState(options);
    const own = await ear(third);
    await own.until('missed', 2);
    await third.close();
  });

  it('has a message read that would fill the buffer of a subscriber', async () => {
    await here.materialiser.start();
    const own = await ear();
    await append(1, { n: JSON.stringify('x'.repeat(1_100_000)) });
    await own.until('missed');
    expect((await here.telemetryView.latest(device)).get('n')?.ts).toBe(1);
    await append(2);
    await own.until('telemetry');
    expect(own.kinds).toEqual(['missed', 'telemetry']);
  });

  it('has what is no word of ours read as well', async () => {
    const own = await ear();
    for (const text of ['', 'x', 't 1', 's s 1 {', 's q 1 []']) {
      await server.cli('PUBLISH', `${prefix}:{d:${device}}:feed`, text);
    }
    await own.until('missed', 5);
  });

  it('publishes only where somebody listens', async () => {
    await here.materialiser.start();
    const own = await ear();
    expect(await channels()).toEqual([`${prefix}:{d:${device}}:feed`]);
    await append(1);
    await own.until('telemetry');
    own.watch.leave();
    while ((await channels()).length > 0) await new Promise(setImmediate);
    await append(2);
    await here.materialiser.caughtUp();
    const again = await ear();
    await append(3);
    await again.until('telemetry');
    expect([own.kinds, again.kinds]).toEqual([['telemetry'], ['telemetry']]);
  });

  it('tells nobody anything once the store is closed, and lets nobody wait for a mark', async () => {
    const own = await ear();
    const mark = own.watch.mark().catch((error: Error) => error.message);
    await here.close();
    expect(['The store is closed', 0]).toContain(await mark);
    await save(1);
    expect(own.heard).toEqual([]);
  });
});
