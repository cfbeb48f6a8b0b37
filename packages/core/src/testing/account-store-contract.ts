import type { Customer, Tenant, User } from '../devices/model';
import { NULL_UUID } from '../devices/model';
import type { Written } from '../state/device-store';
import {
  aCustomer,
  aDevice,
  aProfile,
  aTenant,
  aUser,
  CREATED,
  credentialsOf,
  TENANT_ID,
  userCredentialsOf,
} from './builders';
import { accepted, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const OTHER_TENANT = '7f1d2f10-0000-4000-8000-000000000002';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const ABSENT = { ok: false, conflict: 'ABSENT' };

export function describeAccountStoreContract(makeStore: MakeStore): void {
  describe('AccountStore', () => {
    const store = useSharedStore(makeStore);
    const accounts = () => store.state.accounts;
    const createUser = (user: User) => accounts().createUser(user, userCredentialsOf(user));

    /** The three kinds of entities with what is the same for all of them. */
    const KINDS = [
      {
        kind: 'tenant',
        make: (): Tenant => aTenant({ additionalInfo: '{"b":42.0}', city: 'Kyiv' }),
        create: (entity: object) => accounts().createTenant(entity as Tenant),
        update: (entity: object) => accounts().updateTenant(entity as Tenant),
        get: (id: string) => accounts().getTenant(id),
        remove: (id: string) => accounts().deleteTenant(id, CREATED),
        change: { title: 'changed' },
      },
      {
        kind: 'customer',
        make: (): Customer => aCustomer({ additionalInfo: '{"isPublic":true}', phone: '1' }),
        create: (entity: object) => accounts().createCustomer(entity as Customer),
        update: (entity: object) => accounts().updateCustomer(entity as Customer),
        get: (id: string) => accounts().getCustomer(id),
        remove: (id: string) => accounts().deleteCustomer(id, CREATED),
        change: { title: 'changed' },
      },
      {
        kind: 'user',
        make: (): User => aUser({ additionalInfo: '{"a":1.50}', firstName: 'A' }),
        create: (entity: object) => createUser(entity as User),
        update: (entity: object) => accounts().updateUser(entity as User),
        get: (id: string) => accounts().getUser(id),
        remove: (id: string) => accounts().deleteUser(id),
        change: { email: 'changed@example.org' },
      },
    ] as const;

    it.each(KINDS)('gives back a $kind as it was created, also after it was opened again', async (of) => {
      const entity = of.make();
      expect(await of.create(entity)).toEqual({ ok: true, value: entity });
      await store.reopen();
      expect(await of.get(entity.id)).toEqual(entity);
      expect(await of.get(NOBODY)).toBeUndefined();
    });

    it.each(KINDS)('updates only the version of a $kind that is stored, and adds one to it', async (of) => {
      const entity = of.make();
      await of.create(entity);
      const changed = { ...entity, ...of.change };
      const outcomes = await Promise.all([of.update(changed), of.update({ ...entity })]);
      expect(outcomes).toEqual([
        { ok: true, value: { ...changed, version: 2 } },
        { ok: false, conflict: 'VERSION' },
      ]);
      expect(await of.get(entity.id)).toEqual({ ...changed, version: 2 });
      expect(await of.update(of.make())).toEqual(ABSENT);
    });

    it.each(KINDS)('deletes a $kind once', async (of) => {
      const entity = of.make();
      await of.create(entity);
      const outcomes = await Promise.all([of.remove(entity.id), of.remove(entity.id)]);
      expect(outcomes).toEqual([{ ok: true, value: entity }, ABSENT]);
      expect(await of.get(entity.id)).toBeUndefined();
      expect(await of.update(entity)).toEqual(ABSENT);
    });

    it('gives an e-mail address to the first of two users and keeps nothing of the other', async () => {
      const one = aUser({ email: 'a@example.org' });
      const other = aUser({ email: 'a@example.org', tenantId: OTHER_TENANT });
      const outcomes = await Promise.all([createUser(one), createUser(other)]);
      expect(outcomes).toEqual([
        { ok: true, value: one },
        { ok: false, conflict: 'EMAIL_TAKEN' },
      ]);
      expect(await accounts().getUser(other.id)).toBeUndefined();
      expect((await accounts().listUsers(OTHER_TENANT, {}, PAGE)).totalElements).toBe(0);
    });

    it('moves a user to another address, but not to one that is taken, and frees it with the user', async () => {
      const [one, other] = [aUser(), aUser()];
      for (const user of [one, other]) accepted(await createUser(user));
      const taken = await accounts().updateUser({ ...one, email: other.email });
      expect(taken).toEqual({ ok: false, conflict: 'EMAIL_TAKEN' });
      const moved = accepted(await accounts().updateUser({ ...one, email: 'new@example.org' }));
      expect(await accounts().findUserByEmail('new@example.org')).toEqual(moved);
      expect(await accounts().findUserByEmail(one.email)).toBeUndefined();
      accepted(await accounts().deleteUser(one.id));
      expect(await accounts().findUserByEmail('new@example.org')).toBeUndefined();
      accepted(await createUser(aUser({ email: 'new@example.org' })));
    });

    it('knows nobody by an address that is empty, odd or endless', async () => {
      for (const email of ['', '\u0000', '\ud800', 'x'.repeat(100_000)]) {
        expect(await accounts().findUserByEmail(email)).toBeUndefined();
      }
    });

    it('lists the users of a tenant by authority, customer and part of the address', async () => {
      await store.empty();
      const customerId = NOBODY;
      const made = [
        aUser({ email: 'admin@a.org', createdTime: CREATED + 1 }),
        aUser({ email: 'one@a.org', authority: 'CUSTOMER_USER', customerId, createdTime: CREATED + 2 }),
        aUser({ email: 'two@b.org', authority: 'CUSTOMER_USER', createdTime: CREATED + 3 }),
        aUser({ email: 'foreign@a.org', tenantId: OTHER_TENANT }),
      ];
      for (const user of made) accepted(await createUser(user));
      const addresses = async (...[filter, query]: [object?, object?]) => {
        const { data, totalElements } = await accounts().listUsers(TENANT_ID, filter ?? {}, { ...PAGE, ...query });
        return [totalElements, ...data.map(({ email }) => email)];
      };
      expect(await addresses()).toEqual([3, 'two@b.org', 'one@a.org', 'admin@a.org']);
      expect(await addresses({}, { page: 1, pageSize: 2 })).toEqual([3, 'admin@a.org']);
      expect(await addresses({ authority: 'TENANT_ADMIN' })).toEqual([1, 'admin@a.org']);
      expect(await addresses({ authority: 'CUSTOMER_USER', customerId })).toEqual([1, 'one@a.org']);
      expect(await addresses({}, { textSearch: '@A' })).toEqual([2, 'one@a.org', 'admin@a.org']);
    });

    it('gives a title once within a tenant, and frees it when its customer is renamed or deleted', async () => {
      const one = aCustomer({ title: 'A' });
      accepted(await accounts().createCustomer(one));
      const second = aCustomer({ title: 'A' });
      expect(await accounts().createCustomer(second)).toEqual({ ok: false, conflict: 'NAME_TAKEN' });
      expect(await accounts().getCustomer(second.id)).toBeUndefined();
      accepted(await accounts().createCustomer(aCustomer({ title: 'A', tenantId: OTHER_TENANT })));
      const renamed = accepted(await accounts().updateCustomer({ ...one, title: 'B' }));
      expect(await accounts().findCustomerByTitle(TENANT_ID, 'B')).toEqual(renamed);
      expect(await accounts().findCustomerByTitle(TENANT_ID, 'A')).toBeUndefined();
      accepted(await accounts().createCustomer(second));
      expect(await accounts().updateCustomer({ ...renamed, title: 'A' })).toEqual({
        ok: false,
        conflict: 'NAME_TAKEN',
      });
      accepted(await accounts().deleteCustomer(one.id, CREATED));
      accepted(await accounts().createCustomer(aCustomer({ title: 'B' })));
    });

    it('takes any title, and lists customers and tenants by page, order and part of it', async () => {
      await store.empty();
      const odd = ODD_NAMES.map((title, i) => aCustomer({ title, createdTime: CREATED + i }));
      await Promise.all(odd.map(async (customer) => accepted(await accounts().createCustomer(customer))));
      for (const customer of odd) {
        expect(await accounts().findCustomerByTitle(TENANT_ID, customer.title)).toEqual(customer);
      }
      accepted(await accounts().createCustomer(aCustomer({ title: 'x', tenantId: OTHER_TENANT })));
      const listed = await accounts().listCustomers(TENANT_ID, { page: 1, pageSize: 10 });
      expect(listed.totalElements).toBe(ODD_NAMES.length);
      expect(listed.data.map(({ title }) => title)).toEqual([...ODD_NAMES].reverse().slice(10, 20));
      const found = await accounts().listCustomers(TENANT_ID, { ...PAGE, textSearch: 'QUOTED' });
      expect(found.data.map(({ title }) => title)).toEqual(['"quoted\\"']);
      for (const title of ['Beta', 'Alpha']) accepted(await accounts().createTenant(aTenant({ title })));
      const sorted = await accounts().listTenants({ ...PAGE, sortProperty: 'title', sortOrder: 'ASC' });
      expect(sorted.data.map(({ title }) => title)).toEqual(['Alpha', 'Beta']);
      expect((await accounts().listTenants({ ...PAGE, textSearch: 'bet' })).totalElements).toBe(1);
    });

    it('notes what was deleted until nothing is left of it, oldest first', async () => {
      await store.empty();
      const [tenant, customer] = [aTenant(), aCustomer()];
      accepted(await accounts().createTenant(tenant));
      accepted(await accounts().createCustomer(customer));
      accepted(await accounts().deleteCustomer(customer.id, CREATED + 2));
      accepted(await accounts().deleteTenant(tenant.id, CREATED + 1));
      await store.reopen();
      const ofTenant = { kind: 'tenant', id: tenant.id, tenantId: tenant.id, deletedAt: CREATED + 1 };
      const ofCustomer = { kind: 'customer', id: customer.id, tenantId: TENANT_ID, deletedAt: CREATED + 2 };
      expect(await accounts().listRemovals(10)).toEqual([ofTenant, ofCustomer]);
      expect(await accounts().listRemovals(1)).toEqual([ofTenant]);
      await accounts().finishRemoval(tenant.id);
      await accounts().finishRemoval(tenant.id);
      expect(await accounts().listRemovals(10)).toEqual([ofCustomer]);
    });

    it('notes nothing of a customer whose tenant is being removed', async () => {
      await store.empty();
      const tenant = aTenant();
      const customer = aCustomer({ tenantId: tenant.id });
      accepted(await accounts().createTenant(tenant));
      accepted(await accounts().createCustomer(customer));
      accepted(await accounts().deleteTenant(tenant.id, CREATED));
      accepted(await accounts().deleteCustomer(customer.id, CREATED));
      expect((await accounts().listRemovals(10)).map(({ kind }) => kind)).toEqual(['tenant']);
    });

    it('makes nothing new of a tenant as long as something of a former life may be left', async () => {
      const tenant = aTenant();
      const tenantId = tenant.id;
      accepted(await accounts().createTenant(tenant));
      const profile = await store.profile({ tenantId });
      accepted(await accounts().deleteTenant(tenantId, CREATED));
      const device = aDevice(profile);
      const all = (): Promise<Written<unknown>>[] => [
        accounts().createTenant(tenant),
        createUser(aUser({ tenantId })),
        accounts().createCustomer(aCustomer({ tenantId })),
        store.state.devices.createProfile(aProfile({ tenantId })),
        store.state.devices.createDevice(device, credentialsOf(device)),
      ];
      for (const outcome of await Promise.all(all())) expect(outcome).toEqual(ABSENT);
      await accounts().finishRemoval(tenantId);
      for (const outcome of await Promise.all(all())) expect(outcome).toMatchObject({ ok: true });
    });

    it('gives nothing to a customer as long as something of a former life may be left', async () => {
      const customer = aCustomer();
      const customerId = customer.id;
      accepted(await accounts().createCustomer(customer));
      const [device, user] = [await store.device(), aUser()];
      accepted(await createUser(user));
      accepted(await accounts().deleteCustomer(customerId, CREATED));
      expect(await store.state.devices.updateDevice({ ...device, customerId })).toEqual(ABSENT);
      expect(await accounts().updateUser({ ...user, customerId })).toEqual(ABSENT);
      expect(await createUser(aUser({ customerId }))).toEqual(ABSENT);
      expect(await accounts().createCustomer(customer)).toEqual(ABSENT);
      const profile = await store.profile();
      const another = aDevice(profile, { customerId });
      expect(await store.state.devices.createDevice(another, credentialsOf(another))).toEqual(ABSENT);
      accepted(await store.state.devices.updateDevice({ ...device, label: 'still there' }));
    });

    it('lists the devices of a customer', async () => {
      const customer = aCustomer();
      accepted(await accounts().createCustomer(customer));
      const theirs = await store.device({ customerId: customer.id });
      await store.device();
      const list = (customerId: string) => store.state.devices.listDevices(TENANT_ID, { ...PAGE, customerId });
      expect((await list(customer.id)).data).toEqual([theirs]);
      accepted(await store.state.devices.updateDevice({ ...theirs, customerId: NULL_UUID }));
      expect((await list(customer.id)).data).toEqual([]);
    });

    it('tells every change of users and customers in the order of the writes, and nothing to device sessions', async () => {
      const [user, customer] = [aUser(), aCustomer()];
      const changes: unknown[] = [];
      const ofSessions: unknown[] = [];
      accounts().onAccountChange((change) => changes.push(change));
      const leave = accounts().onAccountChange(() => changes.push('left'));
      leave();
      store.state.devices.onSessionChange((change) => ofSessions.push(change));
      accepted(await createUser(user));
      accepted(await accounts().createCustomer(customer));
      await Promise.all([
        accounts().updateUser(user),
        accounts().updateUser(user),
        accounts().updateCustomer(customer),
        accounts().updateCustomer(customer),
      ]);
      await Promise.all([
        accounts().deleteUser(user.id),
        accounts().deleteUser(user.id),
        accounts().deleteCustomer(customer.id, CREATED),
      ]);
      expect(changes).toEqual([
        { kind: 'user', userId: user.id },
        { kind: 'customer', customerId: customer.id },
        { kind: 'user', userId: user.id },
        { kind: 'customer', customerId: customer.id },
      ]);
      expect(ofSessions).toEqual([]);
    });

    it('lets a listener that throws harm nobody: the write is made, and the others hear it', async () => {
      const user = aUser();
      accepted(await createUser(user));
      const heard: unknown[] = [];
      accounts().onAccountChange(() => {
        throw new Error('not my day');
      });
      accounts().onAccountChange((change) => heard.push(change));
      expect((await accounts().deleteUser(user.id)).ok).toBe(true);
      expect(await accounts().getUser(user.id)).toBeUndefined();
      expect(heard).toEqual([{ kind: 'user', userId: user.id }]);
    });

    it('tells a change before the write resolves, when it can be read already', async () => {
      const user = aUser();
      accepted(await createUser(user));
      const order: string[] = [];
      const reads: Promise<User | undefined>[] = [];
      accounts().onAccountChange(() => {
        order.push('told');
        reads.push(accounts().getUser(user.id));
      });
      await accounts()
        .updateUser({ ...user, firstName: 'B' })
        .then(() => order.push('resolved'));
      expect(order).toEqual(['told', 'resolved']);
      expect(await Promise.all(reads)).toMatchObject([{ firstName: 'B' }]);
    });
  });
}
