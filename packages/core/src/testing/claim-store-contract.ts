import { randomUUID } from 'node:crypto';
import { type Device, NULL_UUID } from '../devices/model';
import type { Claim } from '../state/claim-store';
import { aDevice, aProfile, CREATED, credentialsOf } from './builders';
import { accepted, type MakeStore, useSharedStore } from './store-under-test';

const aClaim = (given: Partial<Claim> = {}): Claim => ({
  secretHash: 'ab'.repeat(32),
  expirationTime: CREATED + 1_000,
  ...given,
});

export function describeClaimStoreContract(makeStore: MakeStore): void {
  describe('ClaimStore', () => {
    const store = useSharedStore(makeStore);
    const register = (device: Device, claim: Claim, now = CREATED) =>
      store.state.claims.register(device.id, claim, now);

    it('keeps the claim of a device, also when the store is opened again', async () => {
      const [device, neighbour] = [await store.device(), await store.device()];
      expect(await store.state.claims.get(device.id)).toBeUndefined();
      expect(await register(device, aClaim())).toBe(true);
      expect(await store.state.claims.get(device.id)).toEqual(aClaim());
      expect(await store.state.claims.get(neighbour.id)).toBeUndefined();
      await store.reopen();
      expect(await store.state.claims.get(device.id)).toEqual(aClaim());
    });

    it('keeps a claim that has not expired, and puts another in the place of one that has', async () => {
      const device = await store.device();
      const [first, second] = [aClaim(), aClaim({ secretHash: 'cd'.repeat(32), expirationTime: CREATED + 9_000 })];
      await register(device, first);
      expect(await register(device, second, CREATED + 999)).toBe(false);
      expect(await store.state.claims.get(device.id)).toEqual(first);
      expect(await register(device, second, CREATED + 1_000)).toBe(true);
      expect(await store.state.claims.get(device.id)).toEqual(second);
    });

    it('keeps one of those that come at once', async () => {
      const device = await store.device();
      const claims = [1, 2, 3, 4].map((n) => aClaim({ secretHash: `${n}${n}`.repeat(32) }));
      const noted = await Promise.all(claims.map((claim) => register(device, claim)));
      expect(noted.filter(Boolean)).toHaveLength(1);
      expect(await store.state.claims.get(device.id)).toEqual(claims[noted.indexOf(true)]);
    });

    it('keeps none for a device that is gone, never was, or has a customer', async () => {
      const [gone, never, owned] = [
        await store.device(),
        aDevice(aProfile()),
        await store.device({ customerId: randomUUID() }),
      ];
      await store.state.devices.deleteDevice(gone.id);
      for (const device of [gone, never, owned]) {
        expect(await register(device, aClaim())).toBe(false);
        expect(await store.state.claims.get(device.id)).toBeUndefined();
      }
    });

    it('discards a claim once, and no other than the one that is named', async () => {
      const device = await store.device();
      await register(device, aClaim());
      expect(await store.state.claims.discard(device.id, aClaim({ expirationTime: CREATED + 1 }))).toBe(false);
      const discarded = await Promise.all([1, 2].map(() => store.state.claims.discard(device.id, aClaim())));
      expect(discarded.sort()).toEqual([false, true]);
      expect(await store.state.claims.get(device.id)).toBeUndefined();
      expect(await store.state.claims.discard(randomUUID(), aClaim())).toBe(false);
    });

    it('gives the device to the customer and uses the claim up; running sessions hear of the device', async () => {
      const device = await store.device();
      await register(device, aClaim());
      const changes: unknown[] = [];
      store.state.devices.onSessionChange((change) => changes.push(change));
      const customerId = randomUUID();
      const assigned = accepted(await store.state.claims.assign({ ...device, customerId }, aClaim()));
      expect(assigned).toEqual({ ...device, customerId, version: 2 });
      expect(await store.state.devices.getDevice(device.id)).toEqual(assigned);
      expect(await store.state.claims.get(device.id)).toBeUndefined();
      expect(changes).toEqual([{ kind: 'device', deviceId: device.id }]);
    });

    it('gives the device to one of those who claim it at once', async () => {
      const device = await store.device();
      await register(device, aClaim());
      const customers = [1, 2, 3, 4].map(() => randomUUID());
      const outcomes = await Promise.all(
        customers.map((customerId) => store.state.claims.assign({ ...device, customerId }, aClaim())),
      );
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      for (const outcome of outcomes) if (!outcome.ok) expect(outcome.conflict).toBe('VERSION');
      const owner = (await store.state.devices.getDevice(device.id))?.customerId;
      expect(owner).toBe(customers[outcomes.findIndex(({ ok }) => ok)]);
    });

    it('gives nothing on a claim that is not there any more, and leaves the one that is', async () => {
      const device = await store.device();
      const taken = { ...device, customerId: randomUUID() };
      expect(await store.state.claims.assign(taken, aClaim())).toEqual({ ok: false, conflict: 'VERSION' });
      const other = aClaim({ secretHash: 'ef'.repeat(32) });
      await register(device, other);
      expect(await store.state.claims.assign(taken, aClaim())).toEqual({ ok: false, conflict: 'VERSION' });
      expect(await store.state.devices.getDevice(device.id)).toEqual(device);
      expect(await store.state.claims.get(device.id)).toEqual(other);
    });

    it('changes the customer without a claim as well, and then none is left', async () => {
      const device = await store.device();
      await register(device, aClaim());
      const owned = accepted(await store.state.claims.assign({ ...device, customerId: randomUUID() }));
      expect(await store.state.claims.get(device.id)).toBeUndefined();
      const free = accepted(await store.state.claims.assign({ ...owned, customerId: NULL_UUID }));
      expect(free).toMatchObject({ customerId: NULL_UUID, version: 3 });
      await store.state.devices.deleteDevice(device.id);
      expect(await store.state.claims.assign(free)).toEqual({ ok: false, conflict: 'ABSENT' });
    });

    it('forgets the claim with the device', async () => {
      const device = await store.device();
      await register(device, aClaim());
      await store.state.devices.deleteDevice(device.id);
      expect(await store.state.claims.get(device.id)).toBeUndefined();
      accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
      expect(await store.state.claims.get(device.id)).toBeUndefined();
    });
  });
}
