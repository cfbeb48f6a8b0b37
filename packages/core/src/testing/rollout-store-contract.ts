import { randomUUID } from 'node:crypto';
import type { Rollout } from '../state/rollout-store';
import { CREATED } from './builders';
import { type MakeStore, useSharedStore } from './store-under-test';

export function describeRolloutStoreContract(makeStore: MakeStore): void {
  describe('RolloutStore', () => {
    const store = useSharedStore(makeStore);
    const rollouts = () => store.state.rollouts;
    const aRollout = (given: Partial<Rollout> = {}): Rollout => ({
      target: { kind: 'profile', id: randomUUID(), type: 'FIRMWARE' },
      ts: CREATED,
      holder: 'whoever noted it',
      cursor: '',
      devices: 0,
      ...given,
    });

    it('gives a rollout to one at a time, the one that waited longest first', async () => {
      const [late, early] = [aRollout(), aRollout({ cursor: 'c 1', devices: 7 })];
      await rollouts().note(late, CREATED + 20);
      await rollouts().note(early, CREATED + 10);
      expect(await rollouts().count()).toBe(2);
      expect(await rollouts().take('a', CREATED + 9, CREATED + 100)).toBeUndefined();
      expect(await rollouts().take('a', CREATED + 30, CREATED + 100)).toEqual({ ...early, holder: 'a' });
      expect(await rollouts().take('b', CREATED + 30, CREATED + 100)).toEqual({ ...late, holder: 'b' });
      expect(await rollouts().take('c', CREATED + 30, CREATED + 100)).toBeUndefined();
    });

    it('gives it to another one when its holder has let the time pass, with what was kept', async () => {
      await store.empty();
      const rollout = aRollout();
      await rollouts().note(rollout, CREATED);
      const held = await rollouts().take('a', CREATED, CREATED + 100);
      expect(await rollouts().keep({ ...rollout, ...held, cursor: 'x', devices: 3 }, CREATED + 200)).toBe(true);
      expect(await rollouts().take('b', CREATED + 199, CREATED + 300)).toBeUndefined();
      const taken = await rollouts().take('b', CREATED + 200, CREATED + 300);
      expect(taken).toEqual({ ...rollout, holder: 'b', cursor: 'x', devices: 3 });
      // The first one lives, and finds that it has lost it.
      expect(await rollouts().keep({ ...rollout, holder: 'a', cursor: 'y' }, CREATED + 900)).toBe(false);
      await rollouts().finish({ ...rollout, holder: 'a' });
      expect(await rollouts().take('c', CREATED + 300, CREATED + 400)).toMatchObject({ cursor: 'x' });
    });

    it('lets a new one for the same target supersede the old one, whoever has that in hand', async () => {
      await store.empty();
      const old = aRollout();
      await rollouts().note(old, CREATED);
      await rollouts().take('a', CREATED, CREATED + 100);
      const next = { ...old, ts: CREATED + 5, holder: 'b' };
      const others = (['device', 'profile'] as const).map((kind) =>
        aRollout({ target: { ...old.target, kind, type: 'SOFTWARE' } }),
      );
      for (const rollout of [next, ...others]) await rollouts().note(rollout, CREATED + 50);
      expect(await rollouts().count()).toBe(3);
      expect(await rollouts().keep({ ...old, holder: 'a', cursor: 'y' }, CREATED + 100)).toBe(false);
      expect(await rollouts().keep(next, CREATED)).toBe(true);
      expect(await rollouts().take('c', CREATED, CREATED + 100)).toEqual({ ...next, holder: 'c' });
    });

    it('forgets one that is finished, and is not surprised when it is finished twice', async () => {
      await store.empty();
      const rollout = aRollout();
      await rollouts().note(rollout, CREATED);
      await rollouts().finish(rollout);
      await rollouts().finish(rollout);
      expect(await rollouts().count()).toBe(0);
      expect(await rollouts().take('a', CREATED + 100, CREATED + 200)).toBeUndefined();
    });

    it('still knows them when it is opened again', async () => {
      await store.empty();
      const rollout = aRollout({ cursor: 'c', devices: 1 });
      await rollouts().note(rollout, CREATED);
      await store.reopen();
      expect(await rollouts().take('a', CREATED, CREATED + 1)).toEqual({ ...rollout, holder: 'a' });
    });
  });
}
