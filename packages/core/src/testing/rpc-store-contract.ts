import type { Device } from '../devices/model';
import { MAX_FINAL_OPEN, OPEN_RPC_STATES, type Rpc, type RpcStatus } from '../state/rpc-store';
import { aCommand, aDevice, aProfile, CREATED } from './builders';
import { hintsOf, type MakeStore, useSharedStore } from './store-under-test';

const MAX_PENDING = 3;
const PAGE = { page: 0, pageSize: 10 };
const LAPSED = CREATED + 60_001;

export function describeRpcStoreContract(makeStore: MakeStore): void {
  describe('RpcStore', () => {
    const store = useSharedStore(makeStore, { rpcMaxPending: MAX_PENDING });

    async function create(device: Device, given?: Parameters<typeof aCommand>[1]): Promise<Rpc> {
      const rpc = await store.state.rpcs.create(aCommand(device, given));
      if (!rpc) throw new Error('the command was refused');
      return rpc;
    }

    it('creates a command as QUEUED, without answer or attempts, and keeps all it was given', async () => {
      const device = await store.device();
      const command = aCommand(device, { persistent: true, retries: 3, additionalInfo: '{"a":1}', params: '"x"' });
      const rpc = await store.state.rpcs.create(command);
      expect(rpc).toEqual({
        ...command,
        requestId: 0,
        status: 'QUEUED',
        attempts: 0,
        response: null,
        responseIsJson: false,
        heldUntil: 0,
      });
      expect(await store.state.rpcs.get(command.id)).toEqual(rpc);
      expect(await store.state.rpcs.findByRequestId(device.id, 0)).toEqual(rpc);
    });

    it('keeps with a command the trace it was sent in, and of others none', async () => {
      const device = await store.device();
      const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      const [traced, other] = [await create(device, { trace }), await create(device)];
      expect(traced.trace).toBe(trace);
      await store.state.rpcs.transition(traced.id, ['QUEUED'], { status: 'SENT' });
      const open = await store.state.rpcs.open(device.id, CREATED);
      expect(open.map((rpc) => rpc.trace)).toEqual([trace, undefined]);
      expect(await store.state.rpcs.get(other.id)).not.toHaveProperty('trace');
    });

    it('counts request ids per device from 0, each once, also for commands made at the same time', async () => {
      const [one, other] = [await store.device(), await store.device()];
      expect(await store.state.rpcs.nextRequestId(one.id)).toBe(0);
      const made = await Promise.all([create(one), create(other), create(one), create(one)]);
      expect(made.map(({ requestId }) => requestId)).toEqual([0, 0, 1, 2]);
      expect(await store.state.rpcs.nextRequestId(one.id)).toBe(3);
      for (const { id } of made) await store.state.rpcs.remove(id);
      await store.reopen();
      expect((await create(one)).requestId).toBe(3);
    });

    it('does not know request ids that were never given', async () => {
      const device = await store.device();
      await create(device);
      for (const requestId of [-1, 1, 0.5, 2 ** 31, 2 ** 53, Number.NaN]) {
        expect(await store.state.rpcs.findByRequestId(device.id, requestId)).toBeUndefined();
      }
    });

    it('refuses a command for a device that is not there, and one whose id is taken', async () => {
      const device = await store.device();
      expect(await store.state.rpcs.create(aCommand(aDevice(aProfile())))).toBeUndefined();
      const first = await create(device);
      expect(await store.state.rpcs.create(aCommand(device, { id: first.id, method: 'other' }))).toBeUndefined();
      expect(await store.state.rpcs.get(first.id)).toEqual(first);
      expect(await store.state.rpcs.nextRequestId(device.id)).toBe(1);
    });

    it('created again with the same content is the command that is there, also when it moved on or no further one fits', async () => {
      await store.empty();
      const device = await store.device();
      const command = aCommand(device, { persistent: true, retries: 2, additionalInfo: '{"a":1}' });
      const [first, second] = await Promise.all([store.state.rpcs.create(command), store.state.rpcs.create(command)]);
      expect(first).toMatchObject({ id: command.id, requestId: 0, status: 'QUEUED' });
      expect(second).toEqual(first);
      for (let n = 1; n < MAX_PENDING; n++) await create(device);
      const sent = await store.state.rpcs.transition(command.id, ['QUEUED'], { status: 'SENT', attempts: 1 });
      expect(await store.state.rpcs.create({ ...command })).toEqual(sent);
      expect(await store.state.rpcs.nextRequestId(device.id)).toBe(MAX_PENDING);
      expect(await store.state.rpcs.open(device.id, CREATED)).toHaveLength(MAX_PENDING);
      await store.state.rpcs.remove(command.id);
      expect(await store.state.rpcs.expired(LAPSED, 10)).toHaveLength(MAX_PENDING - 1);
      await store.state.devices.deleteDevice(device.id);
      expect(await store.state.rpcs.create(command)).toBeUndefined();
    });

    it('takes a command for another one when anything in it differs, and keeps the one that is there', async () => {
      const [device, neighbour] = [await store.device(), await store.device()];
      const command = aCommand(device);
      const made = await store.state.rpcs.create(command);
      const others: Partial<typeof command>[] = [
        { params: '{"pin":24}' },
        { expirationTime: command.expirationTime + 1 },
        { createdTime: command.createdTime + 1 },
        { oneway: true },
        { persistent: true },
        { retries: 0 },
        { additionalInfo: '{}' },
        { deviceId: neighbour.id },
      ];
      for (const other of others) expect(await store.state.rpcs.create({ ...command, ...other })).toBeUndefined();
      expect(await store.state.rpcs.get(command.id)).toEqual(made);
      expect(await store.state.rpcs.open(device.id, CREATED)).toEqual([made]);
      expect(await store.state.rpcs.nextRequestId(neighbour.id)).toBe(0);
    });

    it('refuses a command beyond the number of pending ones, also when they come at once', async () => {
      const device = await store.device();
      const made = await Promise.all([1, 2, 3, 4, 5].map(() => store.state.rpcs.create(aCommand(device))));
      expect(made.map((rpc) => rpc?.requestId)).toEqual([0, 1, 2, undefined, undefined]);
      expect((await create(await store.device())).requestId).toBe(0);
    });

    it('does not count commands that are final, lapsed or removed as pending', async () => {
      const device = await store.device();
      const [answered, removed] = [await create(device), await create(device)];
      await create(device, { expirationTime: CREATED + 10 });
      await store.state.rpcs.transition(answered.id, ['QUEUED'], { status: 'SUCCESSFUL' });
      await store.state.rpcs.remove(removed.id);
      expect(await store.state.rpcs.create(aCommand(device))).toBeDefined();
      expect(await store.state.rpcs.create(aCommand(device))).toBeDefined();
      expect(await store.state.rpcs.create(aCommand(device))).toBeUndefined();
      expect(await store.state.rpcs.create(aCommand(device, { createdTime: CREATED + 10 }))).toBeDefined();
    });

    it('a one-way command that was handed over is not pending', async () => {
      const device = await store.device();
      for (let n = 0; n < MAX_PENDING * 2; n++) {
        const { id } = await create(device, { oneway: true });
        await store.state.rpcs.transition(id, ['QUEUED'], { status: 'DELIVERED' });
      }
      expect(await store.state.rpcs.nextRequestId(device.id)).toBe(MAX_PENDING * 2);
    });

    it('changes a command only from one of the named states', async () => {
      const { id } = await create(await store.device());
      expect(await store.state.rpcs.transition(id, ['SENT', 'DELIVERED'], { status: 'SUCCESSFUL' })).toBeUndefined();
      expect((await store.state.rpcs.get(id))?.status).toBe('QUEUED');
      const sent = await store.state.rpcs.transition(id, ['QUEUED'], { status: 'SENT', attempts: 1 });
      expect(sent).toMatchObject({ id, status: 'SENT', attempts: 1, response: null });
      expect(await store.state.rpcs.get(id)).toEqual(sent);
      expect(
        await store.state.rpcs.transition('00000000-0000-4000-8000-000000000000', ['QUEUED'], { status: 'SENT' }),
      ).toBe(undefined);
    });

    it('keeps what a change does not name', async () => {
      const { id } = await create(await store.device());
      const answer = { status: 'SUCCESSFUL', response: '{"a":1}', responseIsJson: true, attempts: 2 } as const;
      await store.state.rpcs.transition(id, ['QUEUED'], answer);
      await store.state.rpcs.transition(id, ['SUCCESSFUL'], { status: 'FAILED', response: undefined });
      expect(await store.state.rpcs.get(id)).toMatchObject({ ...answer, status: 'FAILED' });
    });

    it('counts a try that two had in hand once, and never fewer', async () => {
      const { id } = await create(await store.device());
      const lapse = (attempts: number) =>
        store.state.rpcs.transition(id, ['QUEUED', 'TIMEOUT'], { status: 'TIMEOUT', attempts });
      expect((await Promise.all([lapse(1), lapse(1)])).map((rpc) => rpc?.attempts)).toEqual([1, 1]);
      const next = await store.state.rpcs.transition(id, ['TIMEOUT'], { status: 'QUEUED', attempts: 2 });
      expect(await lapse(1)).toBeUndefined();
      expect(await store.state.rpcs.get(id)).toEqual(next);
    });

    it('lets the first of two answers win', async () => {
      const { id } = await create(await store.device());
      const answers = ['"first"', '"second"', '"third"'].map((response) =>
        store.state.rpcs.transition(id, OPEN_RPC_STATES, { status: 'SUCCESSFUL', response, responseIsJson: true }),
      );
      expect((await Promise.all(answers)).map((rpc) => rpc?.response)).toEqual(['"first"', undefined, undefined]);
      expect((await store.state.rpcs.get(id))?.response).toBe('"first"');
    });

    describe('hold', () => {
      const NOW = CREATED + 1_000;
      const UNTIL = NOW + 5_000;

      it('gives a command to one of those who ask at the same time, and shows until when', async () => {
        const device = await store.device();
        const command = await create(device);
        const held = await Promise.all([1, 2, 3].map(() => store.state.rpcs.hold(command.id, NOW, UNTIL)));
        expect(held.filter(Boolean)).toHaveLength(1);
        expect(await store.state.rpcs.get(command.id)).toEqual({ ...command, heldUntil: UNTIL });
        expect(await store.state.rpcs.open(device.id, NOW)).toEqual([{ ...command, heldUntil: UNTIL }]);
      });

      it('ends by itself, at the time that was named', async () => {
        const { id } = await create(await store.device());
        expect(await store.state.rpcs.hold(id, NOW, UNTIL)).toBe(true);
        expect(await store.state.rpcs.hold(id, UNTIL - 1, UNTIL + 1)).toBe(false);
        expect(await store.state.rpcs.hold(id, UNTIL, UNTIL + 10)).toBe(true);
        expect((await store.state.rpcs.get(id))?.heldUntil).toBe(UNTIL + 10);
      });

      it('ends with a transition, unless that names another end', async () => {
        const { id } = await create(await store.device());
        await store.state.rpcs.hold(id, NOW, UNTIL);
        expect(await store.state.rpcs.transition(id, ['QUEUED'], { status: 'SENT' })).toMatchObject({ heldUntil: 0 });
        expect(await store.state.rpcs.hold(id, NOW, UNTIL)).toBe(true);
        const kept = await store.state.rpcs.transition(id, ['SENT'], { status: 'TIMEOUT', heldUntil: UNTIL + 7 });
        expect(kept).toMatchObject({ status: 'TIMEOUT', heldUntil: UNTIL + 7 });
        expect(await store.state.rpcs.hold(id, UNTIL, UNTIL + 8)).toBe(false);
        await store.state.rpcs.transition(id, ['SENT'], { status: 'DELIVERED' });
        expect((await store.state.rpcs.get(id))?.heldUntil).toBe(UNTIL + 7);
      });

      it('is refused for a command that is not QUEUED, SENT or TIMEOUT, or not there', async () => {
        for (const status of ['SENT', 'DELIVERED', 'SUCCESSFUL', 'TIMEOUT', 'FAILED', 'EXPIRED'] as const) {
          const { id } = await create(await store.device());
          await store.state.rpcs.transition(id, ['QUEUED'], { status });
          expect([status, await store.state.rpcs.hold(id, NOW, UNTIL)]).toEqual([
            status,
            status === 'SENT' || status === 'TIMEOUT',
          ]);
        }
        const gone = await create(await store.device());
        await store.state.rpcs.remove(gone.id);
        expect(await store.state.rpcs.hold(gone.id, NOW, UNTIL)).toBe(false);
      });

      it('wakes nobody and keeps nothing from happening to the command', async () => {
        const device = await store.device();
        const { id } = await create(device);
        const wakes: string[] = [];
        store.state.events.watch(device.id, (wake) => wakes.push(wake));
        await store.state.rpcs.hold(id, NOW, UNTIL);
        await store.state.rpcs.hold(id, NOW, UNTIL);
        expect(hintsOf(wakes)).toEqual([]);
        await store.state.rpcs.transition(id, OPEN_RPC_STATES, { status: 'SUCCESSFUL', response: '1' });
        expect(await store.state.rpcs.remove(id)).toBe(true);
        expect(hintsOf(wakes)).toEqual(['rpc', 'rpc']);
      });
    });

    it('lists as open what the device may still get or answer, in the order of the request ids', async () => {
      const device = await store.device();
      const states: RpcStatus[] = ['SUCCESSFUL', 'FAILED', 'EXPIRED', 'TIMEOUT', 'DELIVERED', 'SENT', 'QUEUED'];
      for (const status of states) {
        const { id } = await create(device);
        if (status !== 'QUEUED') await store.state.rpcs.transition(id, ['QUEUED'], { status });
      }
      const open = await store.state.rpcs.open(device.id, CREATED);
      expect(open.map(({ status }) => status)).toEqual(['TIMEOUT', 'DELIVERED', 'SENT', 'QUEUED']);
      expect(await store.state.rpcs.open((await store.device()).id, 0)).toEqual([]);
    });

    it('does not list what has lapsed as open', async () => {
      const device = await store.device();
      const [first, second] = [await create(device, { expirationTime: CREATED + 5 }), await create(device)];
      expect(await store.state.rpcs.open(device.id, CREATED + 4)).toEqual([first, second]);
      expect(await store.state.rpcs.open(device.id, CREATED + 5)).toEqual([second]);
    });

    describe('what is final but may concern who waited before it', () => {
      const YEAR = CREATED + 365 * 86_400_000;
      const UNTIL = CREATED + 600_000;
      const openIds = async (device: Device, now: number) =>
        (await store.state.rpcs.open(device.id, now)).map(({ id }) => id);

      it('is open until the time that its change named, however long it lives', async () => {
        const device = await store.device();
        const oneway = await create(device, { oneway: true, persistent: true, expirationTime: YEAR });
        const lapsed = await create(device, { expirationTime: YEAR });
        const [answerable, queued] = [await create(device, { persistent: true, expirationTime: YEAR }), oneway];
        await store.state.rpcs.transition(queued.id, ['QUEUED'], { status: 'SENT', openUntil: UNTIL });
        expect(await openIds(device, UNTIL)).toEqual([oneway.id, lapsed.id, answerable.id]);
        await store.state.rpcs.transition(oneway.id, ['SENT'], { status: 'DELIVERED', openUntil: UNTIL });
        await store.state.rpcs.transition(lapsed.id, ['QUEUED'], { status: 'TIMEOUT', openUntil: UNTIL + 1 });
        await store.state.rpcs.transition(answerable.id, ['QUEUED'], { status: 'DELIVERED', openUntil: UNTIL });
        expect(await openIds(device, UNTIL - 1)).toEqual([oneway.id, lapsed.id, answerable.id]);
        expect(await openIds(device, UNTIL)).toEqual([lapsed.id, answerable.id]);
        expect(await openIds(device, UNTIL + 1)).toEqual([answerable.id]);
        expect(await openIds(device, YEAR - 1)).toEqual([answerable.id]);
        expect(await store.state.rpcs.get(oneway.id)).toMatchObject({ status: 'DELIVERED', expirationTime: YEAR });
      });

      it('is not open beyond its expiration, and to its expiration where no time was named', async () => {
        const device = await store.device();
        const [named, not] = [await create(device, { oneway: true }), await create(device, { oneway: true })];
        await store.state.rpcs.transition(named.id, ['QUEUED'], { status: 'DELIVERED', openUntil: UNTIL });
        await store.state.rpcs.transition(not.id, ['QUEUED'], { status: 'DELIVERED' });
        expect(await openIds(device, LAPSED - 2)).toEqual([named.id, not.id]);
        expect(await openIds(device, LAPSED)).toEqual([]);
      });

      it('is answered all the same, and then not open', async () => {
        const device = await store.device();
        const { id } = await create(device, { expirationTime: YEAR });
        await store.state.rpcs.transition(id, ['QUEUED'], { status: 'TIMEOUT', openUntil: UNTIL });
        expect(await store.state.rpcs.transition(id, ['TIMEOUT'], { status: 'SUCCESSFUL' })).toBeDefined();
        expect(await openIds(device, CREATED)).toEqual([]);
      });

      it('is open to the number of the last thousand, and hides nothing that is still to be handed out', async () => {
        const device = await store.device();
        const [first, given] = [await create(device, { expirationTime: LAPSED }), [] as string[]];
        let delivered: Promise<unknown> = Promise.resolve();
        for (let n = 0; n < MAX_FINAL_OPEN + MAX_PENDING + 5; n++) {
          const { id } = await create(device, { oneway: true, persistent: true, expirationTime: YEAR });
          await delivered;
          delivered = store.state.rpcs.transition(id, ['QUEUED'], { status: 'DELIVERED', openUntil: UNTIL });
          given.push(id);
        }
        await delivered;
        const last = await create(device, { expirationTime: LAPSED });
        const open = await openIds(device, CREATED);
        expect(open.length).toBeGreaterThanOrEqual(MAX_FINAL_OPEN + 2);
        expect(open.length).toBeLessThanOrEqual(MAX_FINAL_OPEN + MAX_PENDING);
        expect(open).toEqual([first.id, ...given.slice(given.length - (open.length - 2)), last.id]);
        // Two thousand writes, one after the other.
      }, 120_000);
    });

    it('removes a command with all ways to it, once', async () => {
      await store.empty();
      const device = await store.device();
      const { id } = await create(device, { persistent: true });
      expect(await Promise.all([store.state.rpcs.remove(id), store.state.rpcs.remove(id)])).toEqual([true, false]);
      expect(await store.state.rpcs.get(id)).toBeUndefined();
      expect(await store.state.rpcs.findByRequestId(device.id, 0)).toBeUndefined();
      expect(await store.state.rpcs.open(device.id, 0)).toEqual([]);
      expect((await store.state.rpcs.list(device.id, PAGE)).totalElements).toBe(0);
      expect(await store.state.rpcs.expired(LAPSED, 10)).toEqual([]);
    });

    it('wakes the device when a command is created, changed or removed, and not when nothing happened', async () => {
      const device = await store.device();
      const wakes: string[] = [];
      store.state.events.watch(device.id, (wake) => wakes.push(wake));
      const { id } = await create(device);
      await store.state.rpcs.transition(id, ['SENT'], { status: 'DELIVERED' });
      await store.state.rpcs.transition(id, ['QUEUED'], { status: 'SENT' });
      await store.state.rpcs.remove(id);
      await store.state.rpcs.remove(id);
      expect(hintsOf(wakes)).toEqual(['rpc', 'rpc', 'rpc']);
    });

    describe('expired', () => {
      it('gives what lapsed before the time, earliest first, at most the limit', async () => {
        await store.empty();
        const device = await store.device();
        const at = (expirationTime: number) => create(device, { expirationTime });
        const [third, first, second] = [await at(LAPSED + 30), await at(LAPSED + 10), await at(LAPSED + 20)];
        const ids = async (before: number, limit: number) =>
          (await store.state.rpcs.expired(before, limit)).map(({ id }) => id);
        expect(await ids(LAPSED + 10, 10)).toEqual([]);
        expect(await ids(LAPSED + 11, 10)).toEqual([first.id]);
        expect(await ids(LAPSED + 99, 2)).toEqual([first.id, second.id]);
        expect(await ids(LAPSED + 99, 10)).toEqual([first.id, second.id, third.id]);
        expect(await ids(LAPSED + 99, 0)).toEqual([]);
      });

      it('gives a command that is not persistent whatever its state, until it is removed', async () => {
        await store.empty();
        const { id } = await create(await store.device());
        await store.state.rpcs.transition(id, ['QUEUED'], { status: 'SUCCESSFUL' });
        expect(await store.state.rpcs.expired(LAPSED, 10)).toMatchObject([{ id }]);
        await store.state.rpcs.remove(id);
        expect(await store.state.rpcs.expired(LAPSED, 10)).toEqual([]);
      });

      it('never gives a persistent command that is final', async () => {
        await store.empty();
        const device = await store.device();
        for (const status of ['SUCCESSFUL', 'FAILED', 'EXPIRED'] as const) {
          const { id } = await create(device, { persistent: true });
          await store.state.rpcs.transition(id, ['QUEUED'], { status });
        }
        const oneway = await create(device, { persistent: true, oneway: true });
        await store.state.rpcs.transition(oneway.id, ['QUEUED'], { status: 'DELIVERED' });
        expect(await store.state.rpcs.expired(LAPSED, 10)).toEqual([]);
      });

      it('gives a persistent command in a state that is not final, and comes to an end when each is dealt with', async () => {
        await store.empty();
        const devices = await Promise.all([1, 2, 3].map(() => store.device()));
        for (const device of devices) {
          for (const status of ['SENT', 'DELIVERED', 'TIMEOUT'] as const) {
            const { id } = await create(device, { persistent: true });
            await store.state.rpcs.transition(id, ['QUEUED'], { status });
          }
        }
        let passes = 0;
        for (;;) {
          const lapsed = await store.state.rpcs.expired(LAPSED, 2);
          if (lapsed.length === 0) break;
          passes++;
          for (const { id } of lapsed) await store.state.rpcs.transition(id, OPEN_RPC_STATES, { status: 'EXPIRED' });
        }
        expect(passes).toBe(5);
      });
    });
  });
}
