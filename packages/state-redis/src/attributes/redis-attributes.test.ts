import { type AttributeScope, type KeyValue, trustedValue } from '@tandem/core';
import { entriesOf } from '@tandem/core/testing';
import { loadScript } from '../client';
import { EventProcess } from '../events/testing/event-process';
import { type RedisServer, startRedis } from '../testing/redis-server';

const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SHARED', 'SERVER'];

describe('Attributes in Redis', () => {
  let server: RedisServer;
  let one: EventProcess;
  let id: string;
  beforeEach(async () => {
    server = await startRedis();
    one = await EventProcess.start(server.address);
    id = await one.device();
  });
  afterEach(async () => {
    await one.close();
    await server.stop();
  });

  it('a save of 100,000 attributes is one event, and so is their deletion', async () => {
    const entries: KeyValue[] = Array.from({ length: 100_000 }, (_, n) => ({
      key: `key-${n}`,
      value: trustedValue(`"${n}"`),
    }));
    const start = await one.events.head(id);
    expect(await one.attributes.save(id, 'SHARED', entries, 1)).toBe(true);
    const { attributes, position } = await one.attributes.snapshotShared(id);
    expect([attributes.length, position.offset]).toEqual([100_000, 1]);
    const read = await one.events.read(id, start, 10);
    expect(read.kind === 'events' && read.events.map(({ updated }) => updated)).toEqual([entries]);
    const keys = entries.map(({ key }) => key);
    expect(await one.attributes.delete(id, 'SHARED', keys, 2)).toEqual(keys);
    expect(await one.attributes.snapshotShared(id)).toEqual({ attributes: [], position: { ...position, offset: 2 } });
    for (const scope of ['CLIENT', 'SERVER'] as const) {
      expect(await one.attributes.save(id, scope, entries, 1)).toBe(true);
      expect(await one.attributes.read(id, scope, keys)).toHaveLength(100_000);
      expect(await one.attributes.delete(id, scope, keys, 1)).toHaveLength(100_000);
    }
  });

  it('a save of what is absent that is repeated because its answer got lost says again that it saved', async () => {
    const args = ['call', 'PUBLISH', 'v', 'k', '1 "x"'];
    const keys = [one.keys.device(id, 'log'), one.keys.device(id, 'attr:v'), one.keys.feedChannel(id)];
    const script = loadScript('attributes-save-absent');
    for (const reply of [1, 1]) expect(await one.commands.write(script, keys, args)).toBe(reply);
    expect(await one.commands.write(script, keys, ['another', ...args.slice(1)])).toBe(2);
  });

  it.each(['log', 'attr:s', 'events'])(
    'a foreign key in the place of "%s" is an error and stays as it is, with all else',
    async (what) => {
      await one.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      await one.events.setCursor(id, await one.events.head(id), 1, 1_000);
      const before = await one.events.head(id);
      await server.cli('DEL', one.keys.device(id, what));
      await server.cli('SET', one.keys.device(id, what), 'not ours');
      const digest = await server.cli('DEBUG', 'DIGEST');
      const heard = await one.watch(id);
      const attempts: Record<string, () => Promise<unknown>> = {
        save: () => one.attributes.save(id, 'SHARED', entriesOf({ a: '2', b: '3' }), 2),
        delete: () => one.attributes.delete(id, 'SHARED', ['a'], 2),
        ...(what === 'events' ? {} : { snapshot: () => one.attributes.snapshotShared(id) }),
        ...(what === 'attr:s' ? {} : { read: () => one.events.read(id, before, 1) }),
        ...(what === 'log'
          ? {
              head: () => one.events.head(id),
              getCursor: () => one.events.getCursor(id, 1),
              setCursor: () => one.events.setCursor(id, before, 1, 1_000),
              getObserver: () => one.events.getObserver(id, 'rpc'),
              setObserver: () => one.events.setObserver(id, 'rpc', 'x'),
              client: () => one.attributes.save(id, 'CLIENT', entriesOf({ a: '1' }), 2),
            }
          : {}),
      };
      for (const [name, attempt] of Object.entries(attempts)) {
        expect([name, await attempt().catch(({ code }) => code)]).toEqual([name, 'INTERNAL']);
      }
      expect(await server.cli('DEBUG', 'DIGEST')).toBe(digest);
      expect(heard.wakes.filter((wake) => wake === 'rpc')).toEqual([]);
    },
  );

  it.each([
    ['attr:c', 'CLIENT'],
    ['attr:v', 'SERVER'],
  ] as const)('a foreign key in the place of "%s" is an error and stays as it is', async (what, scope) => {
    await server.cli('RPUSH', one.keys.device(id, what), 'not ours');
    const digest = await server.cli('DEBUG', 'DIGEST');
    for (const attempt of [
      () => one.attributes.save(id, scope, entriesOf({ a: '2' }), 2),
      () => one.attributes.save(id, scope, [], 2),
      () => one.attributes.delete(id, scope, ['a'], 2),
      () => one.attributes.read(id, scope),
      () => one.attributes.read(id, scope, ['a']),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    expect(await server.cli('DEBUG', 'DIGEST')).toBe(digest);
  });

  it('when Redis is out of memory a save is refused and nothing is changed; reading and deleting go on', async () => {
    for (const scope of SCOPES) await one.attributes.save(id, scope, entriesOf({ a: '1' }), 1);
    const digest = await server.cli('DEBUG', 'DIGEST');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    for (const scope of SCOPES) {
      await expect(one.attributes.save(id, scope, entriesOf({ a: '2' }), 2)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      expect(await one.attributes.read(id, scope)).toMatchObject([{ value: '1' }]);
    }
    expect((await one.attributes.snapshotShared(id)).position.offset).toBe(1);
    expect(await server.cli('DEBUG', 'DIGEST')).toBe(digest);
  });
});
