import { longValue } from '../payload/value';
import type { AttributeScope } from '../state/attribute-store';
import { aDevice, aProfile, CREATED, entriesOf } from './builders';
import { hintsOf, LONE_SURROGATES, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const SCOPES: readonly AttributeScope[] = ['CLIENT', 'SHARED', 'SERVER'];

export function describeAttributeStoreContract(makeStore: MakeStore): void {
  describe('AttributeStore', () => {
    const store = useSharedStore(makeStore);

    it('gives back what was saved, typed as it was, with the time of the save', async () => {
      const { id } = await store.device();
      const values = { b: 'true', l: '42', d: '42.0', s: '"42"', j: '{"b":1,"a":[2]}', big: '9223372036854775807' };
      await store.state.attributes.save(id, 'CLIENT', entriesOf(values), CREATED + 5);
      const read = await store.state.attributes.read(id, 'CLIENT');
      expect(Object.fromEntries(read.map(({ key, value }) => [key, value]))).toEqual(values);
      expect(new Set(read.map(({ lastUpdateTs }) => lastUpdateTs))).toEqual(new Set([CREATED + 5]));
    });

    it('keeps the three scopes of a key apart', async () => {
      const { id } = await store.device();
      for (const scope of SCOPES) await store.state.attributes.save(id, scope, entriesOf({ k: `"${scope}"` }), 1);
      await store.state.attributes.delete(id, 'SERVER', ['k'], 2);
      const left = await Promise.all(SCOPES.map((scope) => store.state.attributes.read(id, scope)));
      expect(left.map((attributes) => attributes.map(({ value }) => value))).toEqual([['"CLIENT"'], ['"SHARED"'], []]);
    });

    it('keeps the attributes of two devices apart', async () => {
      const [one, other] = [await store.device(), await store.device()];
      await store.state.attributes.save(one.id, 'SHARED', entriesOf({ k: '1' }), 1);
      expect(await store.state.attributes.read(other.id, 'SHARED')).toEqual([]);
      expect((await store.state.events.head(other.id)).offset).toBe(0);
    });

    it('reads the named keys and leaves out those that are not there; an empty list reads nothing', async () => {
      const { id } = await store.device();
      await store.state.attributes.save(id, 'CLIENT', entriesOf({ a: '1', b: '2', c: '3' }), 1);
      const named = await store.state.attributes.read(id, 'CLIENT', ['c', 'nope', 'a']);
      expect(named.map(({ key }) => key).sort()).toEqual(['a', 'c']);
      expect(await store.state.attributes.read(id, 'CLIENT', [])).toEqual([]);
    });

    it('reads one attribute of many devices: of those that have it', async () => {
      const [one, two, three] = [await store.device(), await store.device(), await store.device()];
      await store.state.attributes.save(one.id, 'SERVER', entriesOf({ active: 'true', other: '1' }), 1);
      await store.state.attributes.save(two.id, 'SERVER', entriesOf({ active: '42.0' }), 1);
      await store.state.attributes.save(three.id, 'SHARED', entriesOf({ active: 'true' }), 1);
      const ids = [three.id, two.id, '00000000-0000-4000-8000-000000000000', one.id];
      const read = await store.state.attributes.readEach(ids, 'SERVER', 'active');
      expect(Object.fromEntries(read)).toEqual({ [one.id]: 'true', [two.id]: '42.0' });
      expect((await store.state.attributes.readEach([], 'SERVER', 'active')).size).toBe(0);
      const many = Array.from({ length: 1_200 }, () => one.id);
      expect((await store.state.attributes.readEach(many, 'SERVER', 'other')).get(one.id)).toBe('1');
    });

    it('replaces a value, and does not take one key for the beginning of another', async () => {
      const { id } = await store.device();
      await store.state.attributes.save(id, 'CLIENT', entriesOf({ temp: '1', temperature: '2' }), 1);
      await store.state.attributes.save(id, 'CLIENT', entriesOf({ temp: '"x"' }), 9);
      expect(await store.state.attributes.read(id, 'CLIENT', ['temp'])).toEqual([
        { key: 'temp', value: '"x"', lastUpdateTs: 9 },
      ]);
      await store.state.attributes.delete(id, 'CLIENT', ['temp'], 10);
      expect((await store.state.attributes.read(id, 'CLIENT')).map(({ key }) => key)).toEqual(['temperature']);
    });

    it('one save of shared attributes is one event; other scopes are none', async () => {
      const { id } = await store.device();
      const entries = entriesOf({ a: '1', b: '"x"' });
      await store.state.attributes.save(id, 'CLIENT', entries, 1);
      await store.state.attributes.save(id, 'SERVER', entries, 2);
      const before = await store.state.events.head(id);
      expect(before.offset).toBe(0);
      await store.state.attributes.save(id, 'SHARED', entries, 3);
      expect(await store.state.events.read(id, before, 10)).toEqual({
        kind: 'events',
        epoch: before.epoch,
        events: [{ offset: 1, ts: 3, updated: entries, deleted: [] }],
      });
    });

    it('saving an unchanged value counts as a change', async () => {
      const { id } = await store.device();
      for (const ts of [1, 2]) await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), ts);
      expect((await store.state.events.head(id)).offset).toBe(2);
      expect((await store.state.attributes.read(id, 'SHARED'))[0]?.lastUpdateTs).toBe(2);
    });

    it('a save of nothing is no event and wakes nobody', async () => {
      const { id } = await store.device();
      const wakes: string[] = [];
      store.state.events.watch(id, (wake) => wakes.push(wake));
      expect(await store.state.attributes.save(id, 'SHARED', [], 1)).toBe(true);
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      expect((await store.state.events.head(id)).offset).toBe(1);
      expect(hintsOf(wakes)).toEqual(['attributes']);
    });

    it('writing for a device that never was, or is gone, writes nothing and says so', async () => {
      const never = aDevice(aProfile());
      const gone = await store.device();
      await store.state.devices.deleteDevice(gone.id);
      for (const { id } of [never, gone]) {
        for (const scope of SCOPES) {
          expect(await store.state.attributes.save(id, scope, entriesOf({ a: '1' }), 1)).toBe(false);
          expect(await store.state.attributes.read(id, scope)).toEqual([]);
          expect(await store.state.attributes.delete(id, scope, ['a'], 1)).toEqual([]);
        }
        expect((await store.state.events.head(id)).offset).toBe(0);
      }
    });

    it('deletes the keys that existed, each named once, and appends an event with just those', async () => {
      const { id } = await store.device();
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1', b: '2', c: '3' }), 1);
      const before = await store.state.events.head(id);
      const deleted = await store.state.attributes.delete(id, 'SHARED', ['c', 'nope', 'a', 'a'], 7);
      expect([...deleted].sort()).toEqual(['a', 'c']);
      expect((await store.state.attributes.read(id, 'SHARED')).map(({ key }) => key)).toEqual(['b']);
      const read = await store.state.events.read(id, before, 10);
      expect(read).toMatchObject({ kind: 'events', events: [{ offset: 2, ts: 7, updated: [], deleted }] });
    });

    it('deleting what is not there is no event', async () => {
      const { id } = await store.device();
      expect(await store.state.attributes.delete(id, 'SHARED', ['a'], 1)).toEqual([]);
      expect((await store.state.events.head(id)).offset).toBe(0);
    });

    it('a snapshot of shared attributes belongs to the position it names, also amid writes', async () => {
      const { id } = await store.device();
      const count = 400;
      let next = 0;
      const write = async () => {
        while (next < count) {
          const n = String(++next);
          await store.state.attributes.save(id, 'SHARED', entriesOf({ left: n, right: n }), next);
        }
      };
      let writing = true;
      const writers = Promise.all([write(), write(), write()]).then(() => {
        writing = false;
      });
      const positions = new Set<number>();
      while (writing) {
        const { attributes, position } = await store.state.attributes.snapshotShared(id);
        const expected = position.offset === 0 ? [] : [String(position.offset), String(position.offset)];
        expect(attributes.map(({ value }) => value)).toEqual(expected);
        positions.add(position.offset);
        await new Promise(setImmediate);
      }
      await writers;
      expect(positions.size).toBeGreaterThan(5);
      expect((await store.state.events.head(id)).offset).toBe(count);
    });

    it('saves a SERVER attribute that is absent once, whoever tries', async () => {
      const { id } = await store.device();
      const { attributes } = store.state;
      const tries = Array.from({ length: 20 }, (_, n) =>
        attributes.saveServerIfAbsent(id, { key: 'provisionState', value: longValue(n) }, CREATED),
      );
      const winners = (await Promise.all(tries)).flatMap((saved, n) => (saved ? [n] : []));
      expect(winners).toHaveLength(1);
      const value = String(winners[0]);
      const kept = [{ key: 'provisionState', value, lastUpdateTs: CREATED }];
      expect(await attributes.read(id, 'SERVER')).toEqual(kept);
      expect(await attributes.saveServerIfAbsent(id, { key: 'provisionState', value: longValue(99) }, 2)).toBe(false);
      expect(await attributes.saveServerIfAbsent(id, { key: 'other', value: longValue(1) }, 2)).toBe(true);
      await attributes.delete(id, 'SERVER', ['provisionState'], 3);
      expect(await attributes.saveServerIfAbsent(id, { key: 'provisionState', value: longValue(7) }, 4)).toBe(true);
    });

    it('does not take an attribute of another scope, or of another device, for the one that is absent', async () => {
      const [{ id }, other] = [await store.device(), await store.device()];
      const entry = { key: 'k', value: longValue(1) };
      await store.state.attributes.save(id, 'SHARED', [entry], 1);
      await store.state.attributes.save(id, 'CLIENT', [entry], 1);
      await store.state.attributes.save(other.id, 'SERVER', [entry], 1);
      expect(await store.state.attributes.saveServerIfAbsent(id, entry, 2)).toBe(true);
    });

    it('saves nothing that is absent for a device that never was, or is gone', async () => {
      const never = aDevice(aProfile());
      const gone = await store.device();
      await store.state.devices.deleteDevice(gone.id);
      for (const { id } of [never, gone]) {
        expect(await store.state.attributes.saveServerIfAbsent(id, { key: 'k', value: longValue(1) }, 1)).toBe(false);
        expect(await store.state.attributes.read(id, 'SERVER')).toEqual([]);
      }
    });

    it('takes any key: control characters, NUL, astral characters, 255 characters', async () => {
      const { id } = await store.device();
      const entries = ODD_NAMES.map((key, n) => ({ key, value: longValue(n) }));
      await store.state.attributes.save(id, 'SHARED', entries, 1);
      const all = await store.state.attributes.read(id, 'SHARED');
      expect(new Map(all.map(({ key, value }) => [key, value]))).toEqual(
        new Map(ODD_NAMES.map((key, n) => [key, String(n)])),
      );
      for (const [n, key] of ODD_NAMES.entries()) {
        expect(await store.state.attributes.read(id, 'SHARED', [key])).toMatchObject([{ key, value: String(n) }]);
      }
      expect(await store.state.attributes.delete(id, 'SHARED', ODD_NAMES, 2)).toHaveLength(ODD_NAMES.length);
      expect(await store.state.attributes.read(id, 'SHARED')).toEqual([]);
    });

    it('keeps a save with an endless key wholly or not at all', async () => {
      const { id } = await store.device();
      const entries = entriesOf({ short: '1', ['x'.repeat(10_000)]: '2' });
      const saved = await store.state.attributes.save(id, 'SHARED', entries, 1).catch(() => false);
      const { attributes, position } = await store.state.attributes.snapshotShared(id);
      expect([attributes.length, position.offset]).toEqual(saved ? [2, 1] : [0, 0]);
    });

    it('survives keys that are no Unicode text', async () => {
      const { id } = await store.device();
      for (const key of LONE_SURROGATES) {
        expect(await store.state.attributes.save(id, 'SHARED', [{ key, value: longValue(1) }], 1)).toBe(true);
        expect(await store.state.attributes.read(id, 'SHARED', [key])).toMatchObject([{ value: '1' }]);
      }
      await store.state.attributes.delete(id, 'SHARED', LONE_SURROGATES, 2);
      expect(await store.state.attributes.read(id, 'SHARED')).toEqual([]);
    });

    it('keeps values of any size and content', async () => {
      const { id } = await store.device();
      const texts = ['""', '"\u0000"', '"😀"', JSON.stringify('\ud800'), JSON.stringify('x'.repeat(300_000))];
      for (const [n, text] of texts.entries()) {
        await store.state.attributes.save(id, 'CLIENT', entriesOf({ k: text }), n);
        expect((await store.state.attributes.read(id, 'CLIENT', ['k']))[0]?.value).toBe(text);
      }
    });

    it('is there after the store was opened again', async () => {
      const { id } = await store.device();
      await store.state.attributes.save(id, 'SHARED', entriesOf({ a: '1' }), 1);
      const before = await store.state.attributes.snapshotShared(id);
      await store.reopen();
      expect(await store.state.attributes.snapshotShared(id)).toEqual(before);
    });
  });
}
