import { entriesOf } from '@tandem/core/testing';
import { RedisAttributes } from '../attributes';
import { Commands } from '../client';
import { PATIENCE } from '../testing/patience';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { EventProcess, Heard } from './testing/event-process';

const NOW = 1_700_000_000_000;

describe('The log of a device', () => {
  let server: RedisServer;
  let one: EventProcess;
  let id: string;
  beforeEach(async () => {
    server = await startRedis({ appendonly: 'always' });
    one = await EventProcess.start(server.address, { eventLogMax: 5 });
    id = await one.device();
  });
  afterEach(async () => {
    await one.close();
    await server.stop();
  });

  const save = (ts: number) => one.attributes.save(id, 'SHARED', entriesOf({ a: `${ts}` }), ts);

  it('is of another epoch after Redis was restarted, so that nobody trusts an offset that may be used twice', async () => {
    await save(1);
    await save(2);
    const before = await one.events.head(id);
    await one.events.setCursor(id, before, NOW, 60_000);
    await server.kill9();
    await server.restart();
    const after = await one.events.head(id);
    expect(after.offset).toBe(2);
    expect(after.epoch).not.toBe(before.epoch);
    expect((await one.attributes.snapshotShared(id)).position).toEqual(after);
    expect(await one.events.read(id, before, 10)).toMatchObject({
      kind: 'gap',
      head: after,
      kept: [{ offset: 1 }, { offset: 2 }],
    });
    expect(await one.events.getCursor(id, NOW)).toEqual(before);
    await one.events.setCursor(id, { ...before, offset: 99 }, NOW, 60_000);
    await one.events.setCursor(id, { ...after, offset: 1 }, NOW, 60_000);
    expect(await one.events.getCursor(id, NOW)).toEqual({ ...after, offset: 1 });
  });

  it('tells a gap, not silence, where its events were lost', async () => {
    for (const ts of [1, 2, 3]) await save(ts);
    const head = await one.events.head(id);
    await server.cli('XDEL', one.keys.device(id, 'events'), '2-0');
    expect(await one.events.read(id, { ...head, offset: 1 }, 10)).toMatchObject({ kind: 'gap', head });
    await server.cli('DEL', one.keys.device(id, 'events'));
    expect(await one.events.read(id, { ...head, offset: 2 }, 10)).toEqual({ kind: 'gap', head, kept: [] });
    expect(await one.events.read(id, head, 10)).toEqual({ kind: 'events', epoch: head.epoch, events: [] });
  });

  it('keeps exactly as many events as it is bound to, in Redis as well', async () => {
    for (let ts = 0; ts < 12; ts++) await save(ts);
    expect(await server.cli('XLEN', one.keys.device(id, 'events'))).toBe('5');
  });

  it('begins anew over events that a lost log left behind', async () => {
    for (const ts of [1, 2, 3]) await save(ts);
    await server.cli('DEL', one.keys.device(id, 'log'));
    expect(await save(9)).toBe(true);
    const head = await one.events.head(id);
    expect(head.offset).toBe(1);
    expect(await one.events.read(id, { ...head, offset: 0 }, 10)).toMatchObject({
      kind: 'events',
      events: [{ ts: 9 }],
    });
  });

  it('is made when the device is written for the first time, where a crash came before', async () => {
    await server.cli('DEL', one.keys.device(id, 'log'));
    expect((await one.events.head(id)).epoch).toBe('-');
    await one.events.setObserver(id, 'rpc', 'first');
    expect(await one.events.getObserver(id, 'rpc')).toBe('first');
    await server.cli('DEL', one.keys.device(id, 'log'));
    expect(await one.attributes.save(id, 'CLIENT', entriesOf({ a: '1' }), 1)).toBe(true);
  });

  it('knows the one observation of each kind on all processes, and wakes the former one', async () => {
    const other = await EventProcess.start(server.address);
    const [here, there] = [await one.watch(id), await other.watch(id)];
    expect(await one.events.getObserver(id, 'attributes')).toBeUndefined();
    await one.events.setObserver(id, 'attributes', 'first');
    await one.events.setObserver(id, 'rpc', 'commands');
    await other.events.setObserver(id, 'attributes', 'second');
    for (const process of [one, other]) {
      expect(await process.events.getObserver(id, 'attributes')).toBe('second');
      expect(await process.events.getObserver(id, 'rpc')).toBe('commands');
    }
    expect(await here.times(3)).toEqual(['observer', 'observer', 'observer']);
    expect(await there.times(3)).toEqual(['observer', 'observer', 'observer']);
    await one.registry.devices.deleteDevice(id);
    await one.events.setObserver(id, 'attributes', 'late');
    expect(await one.events.getObserver(id, 'attributes')).toBeUndefined();
    await other.close();
  });

  it('has one event of a change whose script Redis was sent twice', async () => {
    class TwiceSent extends Commands {
      override async write<T>(...call: Parameters<Commands['write']>): Promise<T> {
        await super.write<T>(...call);
        return super.write<T>(...call);
      }
    }
    const commands = new TwiceSent(one.client, one.client, {
      waitReplicas: 0,
      timeout: PATIENCE,
      logger: { debugEnabled: false, debug() {}, info() {}, warn() {}, error() {} },
    });
    const attributes = new RedisAttributes(commands, one.keys, one.wakeUps, one.registry.births, {
      processId: 'twice',
      eventLogMax: 5,
    });
    const heard = new Heard();
    one.events.watch(id, (wake) => heard.hear(wake));
    expect(await attributes.save(id, 'SHARED', entriesOf({ a: '1', b: '2' }), 1)).toBe(true);
    expect(await attributes.delete(id, 'SHARED', ['a', 'none'], 2)).toEqual(['a']);
    expect((await one.events.head(id)).offset).toBe(2);
    await heard.times(2);
  });
});
