import type { Device } from '../devices/model';
import { OPEN_RPC_STATES, type Rpc, type RpcQuery, type RpcStatus } from '../state/rpc-store';
import { aCommand, CREATED, credentialsOf } from './builders';
import { accepted, type MakeStore, useStore } from './store-under-test';

const MAX_FINISHED = 4;
const ALL = { page: 0, pageSize: 2_147_483_647 };
const LONG_AFTER = CREATED + 1_000_000;

/** Persistent commands: how they are listed, and what becomes of those that are finished. */
export function describeKeptRpcsContract(makeStore: MakeStore): void {
  describe('RpcStore, with persistent commands', () => {
    const store = useStore(makeStore, { rpcFinishedMax: MAX_FINISHED });

    async function create(device: Device, given: Parameters<typeof aCommand>[1] = {}): Promise<Rpc> {
      const rpc = await store.state.rpcs.create(aCommand(device, { persistent: true, ...given }));
      if (!rpc) throw new Error('the command was refused');
      return rpc;
    }
    const become = (id: string, status: RpcStatus, at?: number) =>
      store.state.rpcs.transition(id, OPEN_RPC_STATES, { status, at });
    const list = async (device: Device, query: Partial<RpcQuery> = {}) => {
      const { data, totalElements } = await store.state.rpcs.list(device.id, { ...ALL, ...query });
      return { ids: data.map(({ id }) => id), total: totalElements };
    };

    describe('list', () => {
      it('gives the persistent ones of the device, by page and state, newest first', async () => {
        const [device, neighbour] = [await store.device(), await store.device()];
        const first = await create(device, { createdTime: CREATED + 1 });
        const second = await create(device, { createdTime: CREATED + 2 });
        await create(device, { persistent: false });
        await create(neighbour);
        const sent = await become(first.id, 'SENT');
        expect(await store.state.rpcs.list(device.id, ALL)).toEqual({ data: [second, sent], totalElements: 2 });
        const page = await store.state.rpcs.list(device.id, { page: 1, pageSize: 1 });
        expect(page).toEqual({ data: [sent], totalElements: 2 });
        expect(await list(device, { status: 'SENT' })).toEqual({ ids: [first.id], total: 1 });
        expect(await list(device, { page: 1, pageSize: 2 })).toEqual({ ids: [], total: 2 });
        expect(await list(await store.device())).toEqual({ ids: [], total: 0 });
      });

      it('is in the order of creation also where the clock of the process that made one was behind', async () => {
        const device = await store.device();
        const [late, early] = [await create(device, { createdTime: CREATED + 5 }), await create(device)];
        expect((await list(device)).ids).toEqual([late.id, early.id]);
        expect((await list(device, { sortOrder: 'ASC' })).ids).toEqual([early.id, late.id]);
      });

      it('shows each command on one page, also where many were made at the same time', async () => {
        const device = await store.device();
        const made: string[] = [];
        for (let n = 0; n < 7; n++) made.push((await create(device)).id);
        const orders: Partial<RpcQuery>[] = [
          {},
          { sortOrder: 'ASC' },
          { status: 'QUEUED' },
          { sortProperty: 'status' },
        ];
        for (const order of orders) {
          const seen: string[] = [];
          for (let page = 0; page < 3; page++) {
            const { ids, total } = await list(device, { ...order, page, pageSize: 3 });
            expect(total).toBe(7);
            seen.push(...ids);
          }
          expect(seen).toEqual((await list(device, order)).ids);
          expect([...seen].sort()).toEqual([...made].sort());
        }
      });

      it('sorts by what is asked for, either way', async () => {
        const device = await store.device();
        const given = [
          { method: 'b', expirationTime: LONG_AFTER + 3 },
          { method: 'c', expirationTime: LONG_AFTER + 1 },
          { method: 'a', expirationTime: LONG_AFTER + 2 },
        ];
        const made: Rpc[] = [];
        for (const [n, command] of given.entries())
          made.push(await create(device, { ...command, createdTime: CREATED + n }));
        await store.state.rpcs.transition(made[0]?.id ?? '', ['QUEUED'], { status: 'SUCCESSFUL', response: '"z"' });
        await store.state.rpcs.transition(made[1]?.id ?? '', ['QUEUED'], { status: 'FAILED', response: '"y"' });
        const rows: [property: RpcQuery['sortProperty'], order: string][] = [
          ['createdTime', 'bca'],
          ['expirationTime', 'cab'],
          ['method', 'abc'],
          ['status', 'cab'],
          ['response', 'acb'],
        ];
        for (const [sortProperty, order] of rows) {
          for (const sortOrder of ['ASC', 'DESC'] as const) {
            const { data } = await store.state.rpcs.list(device.id, { ...ALL, sortProperty, sortOrder });
            const methods = data.map(({ method }) => method);
            expect([sortProperty, (sortOrder === 'ASC' ? methods : methods.reverse()).join('')]).toEqual([
              sortProperty,
              order,
            ]);
          }
        }
      });

      it('searches the methods, in any letter case', async () => {
        const device = await store.device();
        const [one, two] = [await create(device, { method: 'setGpio' }), await create(device, { method: 'getGPIO' })];
        expect((await list(device, { textSearch: 'gpio' })).ids.sort()).toEqual([one.id, two.id].sort());
        expect(await list(device, { textSearch: 'SET' })).toEqual({ ids: [one.id], total: 1 });
        expect(await list(device, { textSearch: 'SET', status: 'SENT' })).toEqual({ ids: [], total: 0 });
        expect((await list(device, { textSearch: '' })).total).toBe(2);
      });
    });

    describe('what is finished', () => {
      const finishedIds = (before = LONG_AFTER, limit = 10) => store.state.rpcs.finished(before, limit);

      it('is found by the time of its end, earliest first, at most the limit, until it is removed', async () => {
        const device = await store.device();
        const [third, first, second] = [await create(device), await create(device), await create(device)];
        await become(third.id, 'SUCCESSFUL', CREATED + 30);
        await become(first.id, 'FAILED', CREATED + 10);
        await become(second.id, 'EXPIRED', CREATED + 20);
        expect(await finishedIds(CREATED + 10)).toEqual([]);
        expect(await finishedIds(CREATED + 11)).toEqual([first.id]);
        expect(await finishedIds(LONG_AFTER, 2)).toEqual([first.id, second.id]);
        await store.state.rpcs.remove(first.id);
        expect(await finishedIds()).toEqual([second.id, third.id]);
        expect(await finishedIds(LONG_AFTER, 0)).toEqual([]);
      });

      it('is what nothing can happen to any more, and persistent', async () => {
        const device = await store.device();
        await become((await create(device, { persistent: false })).id, 'SUCCESSFUL');
        for (const status of ['SENT', 'DELIVERED', 'TIMEOUT'] as const) await become((await create(device)).id, status);
        await create(device);
        expect(await finishedIds()).toEqual([]);
        const oneway = await create(device, { oneway: true });
        await become(oneway.id, 'DELIVERED', CREATED + 2);
        const answered = await create(device);
        await become(answered.id, 'DELIVERED', CREATED + 1);
        await become(answered.id, 'SUCCESSFUL', CREATED + 3);
        expect(await finishedIds()).toEqual([oneway.id, answered.id]);
        expect(await finishedIds(CREATED + 3)).toEqual([oneway.id]);
      });

      it('counts from its creation where its change names no time', async () => {
        const { id } = await create(await store.device());
        await become(id, 'SUCCESSFUL');
        expect(await finishedIds(CREATED)).toEqual([]);
        expect(await finishedIds(CREATED + 1)).toEqual([id]);
      });

      it('is found again after the store was opened anew', async () => {
        const { id } = await create(await store.device());
        await become(id, 'SUCCESSFUL', CREATED + 1);
        await store.reopen();
        expect(await finishedIds()).toEqual([id]);
      });

      it('makes room for what is finished later, the one created first before the others, also at once', async () => {
        const [device, neighbour] = [await store.device(), await store.device()];
        const kept = await create(neighbour);
        await become(kept.id, 'SUCCESSFUL', CREATED);
        const pending = await create(device, { createdTime: CREATED - 1 });
        const made: Rpc[] = [];
        for (let n = 0; n < MAX_FINISHED + 3; n++) made.push(await create(device, { createdTime: CREATED + n }));
        for (const { id } of made.slice(0, MAX_FINISHED)) await become(id, 'SUCCESSFUL', CREATED);
        expect((await list(device)).total).toBe(made.length + 1);
        await Promise.all(made.slice(MAX_FINISHED).map(({ id }) => become(id, 'FAILED', CREATED)));
        const left = made.slice(3).map(({ id }) => id);
        expect(await list(device, { sortOrder: 'ASC' })).toEqual({
          ids: [pending.id, ...left],
          total: left.length + 1,
        });
        expect([...(await finishedIds())].sort()).toEqual([...left, kept.id].sort());
        for (const { id, requestId } of made.slice(0, 3)) {
          expect(await store.state.rpcs.get(id)).toBeUndefined();
          expect(await store.state.rpcs.findByRequestId(device.id, requestId)).toBeUndefined();
          expect(await store.state.rpcs.remove(id)).toBe(false);
        }
        expect(await store.state.rpcs.open(device.id, CREATED)).toEqual([pending]);
        expect(await store.state.rpcs.create(aCommand(device, { id: made[0]?.id }))).toBeDefined();
      });

      it('is gone with its device', async () => {
        const device = await store.device();
        const { id } = await create(device);
        await become(id, 'SUCCESSFUL', CREATED);
        await create(device);
        await store.state.devices.deleteDevice(device.id);
        expect(await finishedIds()).toEqual([]);
        accepted(await store.state.devices.createDevice(device, credentialsOf(device)));
        expect(await list(device)).toEqual({ ids: [], total: 0 });
      });
    });
  });
}
