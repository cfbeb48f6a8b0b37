import { entriesOf, FakeClock } from '@tandem/core/testing';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { EventProcess, type EventProcessOptions, Heard } from './testing/event-process';
import { SlowLine } from './testing/slow-line';
import { until } from './testing/until';

const EVERYTHING = ['attributes', 'rpc', 'observer'];
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Waiters on several processes', () => {
  let server: RedisServer;
  const open: EventProcess[] = [];
  beforeEach(async () => {
    server = await startRedis({ appendonly: 'always' });
  });
  afterEach(async () => {
    if (server.running) server.resume();
    await Promise.all(open.splice(0).map((process) => process.close()));
    await server.stop();
  });

  async function start(options?: EventProcessOptions): Promise<EventProcess> {
    const process = await EventProcess.start(server.address, options);
    open.push(process);
    return process;
  }

  const save = (process: EventProcess, id: string) => process.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
  const subscribed = async (id: string) =>
    (await server.cli('PUBSUB', 'NUMSUB', `tandem:{d:${id}}:wake`)).endsWith('1');

  it('hear of a change once, whether another process made it or their own', async () => {
    const [one, other] = [await start(), await start()];
    const id = await one.device();
    const [here, there] = [await one.watch(id), await other.watch(id)];
    await save(one, id);
    expect(here.wakes).toEqual(['attributes']);
    expect(await there.times(1)).toEqual(['attributes']);
    await other.attributes.delete(id, 'SHARED', ['a'], 2);
    await here.times(2);
    await other.events.setObserver(id, 'attributes', 'x');
    expect(await here.times(3)).toEqual(['attributes', 'attributes', 'observer']);
    expect(there.wakes).toEqual(['attributes', 'attributes', 'observer']);
  });

  it('are not woken by what is no wake-up, and of no device but theirs', async () => {
    const [one, other] = [await start(), await start()];
    const [id, neighbour] = [await one.device(), await one.device()];
    const heard = await one.watch(id);
    const channel = one.keys.wakeChannel(id);
    for (const message of ['', 'rpc', 'x ', 'x unknown', 'x rpc rpc', 'rpc x', ' ']) {
      await server.cli('PUBLISH', channel, message);
    }
    await save(other, neighbour);
    await save(other, id);
    expect(await heard.times(1)).toEqual(['attributes']);
  });

  it('are all woken after a lost pub/sub connection, and hear of changes again', async () => {
    const [one, other] = [await start(), await start()];
    const ids = await Promise.all(Array.from({ length: 250 }, () => one.device()));
    const waiters = await Promise.all(ids.map((id) => one.watch(id)));
    await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    for (const heard of waiters) expect(await heard.times(3)).toEqual(EVERYTHING);
    for (const id of ids) await save(other, id);
    for (const heard of waiters) expect(await heard.times(4)).toEqual([...EVERYTHING, 'attributes']);
  });

  it('that come while Redis is away are woken when it is back', async () => {
    const one = await start();
    const id = await one.device();
    await server.kill9();
    await until(() => one.client.status !== 'ready');
    const heard = await one.watch(id);
    expect(heard.wakes).toEqual([]);
    await server.restart();
    expect(await heard.times(3)).toEqual(EVERYTHING);
    await save(await start(), id);
    expect(await heard.times(4)).toEqual([...EVERYTHING, 'attributes']);
  });

  it('are let through after a second when Redis holds its breath, and woken when it breathes', async () => {
    const clock = new FakeClock();
    const one = await start({ clock });
    const id = await one.device();
    server.pause();
    const heard = new Heard();
    one.events.watch(id, (wake) => heard.hear(wake));
    let through = false;
    const ready = one.wakeUps.ready(id).then(() => {
      through = true;
    });
    await turn();
    clock.advance(999);
    await turn();
    expect(through).toBe(false);
    clock.advance(1);
    await ready;
    server.resume();
    await until(() => {
      clock.advance(1);
      return heard.wakes.length > 0;
    });
    expect(await heard.times(3)).toEqual(EVERYTHING);
  });

  it('do not read before they hear: a change is in what they read, or wakes them', async () => {
    const line = await SlowLine.open(server.address);
    const [one, other] = [await start({ subscribeAt: line.address }), await start()];
    const id = await one.device();
    await one.watch(await one.device());
    line.hold();
    const heard = new Heard();
    one.events.watch(id, (wake) => heard.hear(wake));
    const read = Promise.all([
      one.events.head(id).then(({ offset }) => offset),
      one.attributes.read(id, 'SHARED').then(({ length }) => length),
      one.attributes.snapshotShared(id).then(({ position }) => position.offset),
      one.events.read(id, { epoch: '-', offset: 0 }, 1).then((found) => found.kind === 'gap' && found.kept.length),
      one.events.getObserver(id, 'attributes'),
    ]);
    await save(other, id);
    await other.events.setObserver(id, 'attributes', 'x');
    line.release();
    expect(await read).toEqual([1, 1, 1, 1, 'x']);
    await save(other, id);
    expect(await heard.times(1)).toEqual(['attributes']);
    line.close();
  });

  it('are each woken once in the interval, told or not, a few at a time', async () => {
    const clock = new FakeClock();
    const one = await start({ clock, rereadInterval: 15_000 });
    const ids = await Promise.all(Array.from({ length: 600 }, () => one.device()));
    const waiters = await Promise.all(ids.map((id) => one.watch(id)));
    const count = () => waiters.reduce((sum, { wakes }) => sum + wakes.length, 0) / EVERYTHING.length;
    let most = 0;
    for (let before = 0, elapsed = 0; elapsed < 15_000; elapsed += 100, before = count()) {
      clock.advance(100);
      most = Math.max(most, count() - before);
    }
    for (const { wakes } of waiters) expect(wakes).toEqual(EVERYTHING);
    expect(most).toBeLessThanOrEqual(4);
    clock.advance(15_000);
    for (const { wakes } of waiters) expect(wakes).toEqual([...EVERYTHING, ...EVERYTHING]);
  });

  it('cost no timer and no subscription when there are none left', async () => {
    const clock = new FakeClock();
    const one = await start({ clock });
    const id = await one.device();
    const leave = one.events.watch(id, () => {});
    await one.wakeUps.ready(id);
    expect([one.metric('tandem_devices_watched'), one.metric('tandem_wake_subscriptions')]).toEqual([1, 1]);
    leave();
    expect([one.metric('tandem_devices_watched'), one.metric('tandem_wake_subscriptions')]).toEqual([0, 1]);
    clock.advance(29_999);
    const again = one.events.watch(id, () => {});
    expect([one.metric('tandem_devices_watched'), one.metric('tandem_wake_subscriptions')]).toEqual([1, 1]);
    again();
    clock.advance(29_999);
    await turn();
    expect(await subscribed(id)).toBe(true);
    clock.advance(1);
    expect([one.metric('tandem_devices_watched'), one.metric('tandem_wake_subscriptions')]).toEqual([0, 0]);
    await until(async () => !(await subscribed(id)));
    // The one that looks after the connection.
    expect(clock.timers).toBe(1);
  });

  it('that come and go at any moment end up subscribed when they stay, and not when they leave', async () => {
    const clock = new FakeClock();
    const [one, other] = [await start({ clock }), await start()];
    const [stays, leaves] = [await one.device(), await one.device()];
    let seed = 7;
    const chance = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    for (let round = 0; round < 300; round++) {
      const gone = [stays, leaves].map((id) => one.events.watch(id, () => {}));
      if (chance() < 0.3) await turn();
      if (chance() < 0.1) await one.wakeUps.ready(stays);
      for (const leave of gone) leave();
      if (chance() < 0.3) await turn();
      if (chance() < 0.8) clock.advance(30_000);
      if (chance() < 0.3) await turn();
    }
    const heard = await one.watch(stays);
    expect(await subscribed(stays)).toBe(true);
    await save(other, stays);
    expect(await heard.times(1)).toEqual(['attributes']);
    clock.advance(30_000);
    await until(async () => !(await subscribed(leaves)));
    expect(await subscribed(stays)).toBe(true);
  });

  it('hear of a write of their own process whose answer was lost, when it is done after all', async () => {
    const one = await start({ timeout: 300 });
    const id = await one.device();
    const heard = await one.watch(id);
    await save(one, id);
    server.pause();
    await expect(save(one, id)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(heard.wakes).toEqual(['attributes', 'attributes']);
    server.resume();
    expect((await heard.times(3)).slice(0, 3)).toEqual(['attributes', 'attributes', 'attributes']);
    expect((await one.events.head(id)).offset).toBe(2);
  });

  it('are woken when it is found out that the connection has been dead for a while', async () => {
    const clock = new FakeClock();
    const one = await start({ clock });
    const id = await one.device();
    const heard = await one.watch(id);
    server.pause();
    clock.advance(10_000);
    await until(() => one.subscriptions.lost > 0);
    expect(heard.wakes).toEqual([]);
    server.resume();
    await until(() => {
      clock.advance(10);
      return heard.wakes.length > 0;
    });
    expect(await heard.times(3)).toEqual(EVERYTHING);
  });

  it('let a process close while Redis is away', async () => {
    const one = await start();
    await one.watch(await one.device());
    await server.kill9();
    await until(() => one.subscriptions.lost > 0);
    await one.close();
    expect(one.subscriptions.lost).toBe(0);
  });

  it('are told late, and the log says why, where Redis refuses the subscription', async () => {
    const lines: string[] = [];
    const logger = {
      debugEnabled: false,
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (message: string) => lines.push(message),
    };
    const clock = new FakeClock();
    await server.cli('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels');
    const address = { ...server.address, username: 'deaf', password: 'secret' };
    const one = await EventProcess.start(address, { clock, logger, rereadInterval: 15_000 });
    open.push(one);
    const [id, heard] = ['b2c7b0c4-6a0c-4d53-9d0e-111111111111', new Heard()];
    one.events.watch(id, (wake) => heard.hear(wake));
    await one.wakeUps.ready(id);
    await until(() => lines.length > 0);
    expect(new Set(lines)).toEqual(new Set(['Redis refuses a subscription: changes of other processes are seen late']));
    clock.advance(15_000);
    expect(heard.wakes).toEqual(EVERYTHING);
  });
});
