import { NULL_UUID, systemRandom, type Waiter, type WaiterHere } from '@tandem/core';
import { ADMIN, type Answer, OTHER_ADMIN, ServerUnderTest } from '../testing/server-under-test';

interface Listed {
  readonly total: { readonly polls: number; readonly observations: number };
  readonly waiters: readonly (Waiter & { readonly deviceName: string; readonly process: string })[];
  readonly processes: number;
  readonly unanswered: number;
}

const PATH = '/api/tandem/waiters';

describe('Open polls and observations at the server API', () => {
  let server: ServerUnderTest;
  let admin: string;
  let other: string;
  /** What the doors of this process have. */
  let here: WaiterHere[] = [];
  let devices = 0;

  beforeAll(async () => {
    server = await ServerUnderTest.start({ TANDEM_WAITERS_RATE: '1000000:1' });
    admin = (await server.login()).token;
    other = (await server.login(OTHER_ADMIN)).token;
    server.core.waiters.add(() => here);
  });
  beforeEach(() => {
    here = [];
  });
  afterAll(() => server.stop());

  const list = async (token: string, query = ''): Promise<Listed> => {
    const answer = await server.call('GET', PATH + query, { token });
    expect(answer.status).toBe(200);
    return answer.json();
  };

  async function device(token = admin, customerId?: string): Promise<string> {
    const id = await server.createDevice(token, `device ${++devices}`);
    const stored = await server.core.state.devices.getDevice(id);
    if (customerId && stored) await server.core.state.devices.updateDevice({ ...stored, customerId });
    return id;
  }

  /** As a door tells of it. */
  async function waits(deviceId: string, given: Partial<Waiter> = {}): Promise<void> {
    const { tenantId = NULL_UUID } = (await server.core.state.devices.getDevice(deviceId)) ?? {};
    const waiter: Waiter = {
      deviceId,
      protocol: 'coap',
      kind: 'attributes',
      peer: '192.0.2.7:40312',
      ageSeconds: 1,
      state: 'idle',
      notifications: 4,
      ...given,
    };
    here.push({ deviceId, tenantId, protocol: waiter.protocol, describe: () => waiter });
  }

  async function customer(email: string): Promise<{ id: string; token: string }> {
    const { tenantId = NULL_UUID } = (await server.core.state.accounts.findUserByEmail(ADMIN)) ?? {};
    const { id } = await server.core.customers.create(tenantId, { title: systemRandom.uuid() });
    await server.addUser(email, { customerId: id });
    return { id, token: (await server.login(email)).token };
  }

  it('are none where nobody waits', async () => {
    expect(await list(admin)).toEqual({
      total: { polls: 0, observations: 0 },
      waiters: [],
      processes: 1,
      unanswered: 0,
    });
  });

  it('are shown with their device, those that wait for longest first', async () => {
    const id = await device();
    await waits(id, { ageSeconds: 2 });
    await waits(id, { ageSeconds: 30, protocol: 'http', kind: 'rpc', state: 'waiting', notifications: 0 });
    await waits(id, { ageSeconds: 4, protocol: 'coaps', peer: '[2001:db8::1]:5684' });
    const { total, waiters } = await list(admin);
    expect(total).toEqual({ polls: 1, observations: 2 });
    expect(waiters.map(({ ageSeconds }) => ageSeconds)).toEqual([30, 4, 2]);
    expect(waiters[0]).toEqual({
      deviceId: id,
      deviceName: `device ${devices}`,
      protocol: 'http',
      kind: 'rpc',
      peer: '192.0.2.7:40312',
      ageSeconds: 30,
      state: 'waiting',
      notifications: 0,
      process: server.core.state.processes.id,
    });
  });

  it('are counted all, and listed up to the limit', async () => {
    const id = await device();
    for (let n = 1; n <= 1_200; n++)
      await waits(id, { ageSeconds: 1_201 - n, protocol: n % 3 === 0 ? 'http' : 'coap' });
    const total = { polls: 400, observations: 800 };
    expect(await list(admin, '?limit=2')).toMatchObject({
      total,
      waiters: [{ ageSeconds: 1_200 }, { ageSeconds: 1_199 }],
    });
    expect((await list(admin)).waiters).toHaveLength(100);
    expect((await list(admin, '?limit=1000')).waiters).toHaveLength(1_000);
    for (const limit of ['0', '1001', 'many', '1.5']) {
      expect((await server.call('GET', `${PATH}?limit=${limit}`, { token: admin })).status).toBe(400);
    }
  });

  it('are those of the tenant, and of a customer those of its devices, in the counts as well', async () => {
    const [mine, theirs] = [await customer('mine@x.org'), await customer('theirs@x.org')];
    const [ofMine, ofTheirs, ofNobody] = [await device(admin, mine.id), await device(admin, theirs.id), await device()];
    const ofOther = await device(other);
    for (const id of [ofMine, ofTheirs, ofNobody, ofOther]) await waits(id);
    const seen = async (token: string) => {
      const { total, waiters } = await list(token);
      return [total.observations, waiters.map(({ deviceId }) => deviceId)];
    };
    expect(await seen(admin)).toEqual([3, [ofMine, ofTheirs, ofNobody]]);
    expect(await seen(other)).toEqual([1, [ofOther]]);
    expect(await seen(mine.token)).toEqual([1, [ofMine]]);
    expect(await seen(theirs.token)).toEqual([1, [ofTheirs]]);
  });

  it('are no more those of a customer from the moment on at which it has the device no more', async () => {
    const { id: customerId, token } = await customer('former@x.org');
    const id = await device(admin, customerId);
    await waits(id);
    expect((await list(token)).total.observations).toBe(1);
    await server.call('DELETE', `/api/customer/device/${id}`, { token: admin });
    expect(await list(token)).toMatchObject({ total: { observations: 0 }, waiters: [] });
  });

  it('are found for a customer with more devices than one question names', async () => {
    const { id: customerId, token } = await customer('many@x.org');
    const id = await device(admin, customerId);
    const stored = await server.core.state.devices.getDevice(id);
    await waits(id);
    const page = {
      data: Array.from({ length: 4_500 }, () => ({ ...stored, id: systemRandom.uuid() })),
      totalElements: 0,
    };
    page.data[4_400] = { ...stored, id };
    const listed = jest.spyOn(server.core.devices, 'list').mockResolvedValueOnce(page as never);
    expect(await list(token)).toMatchObject({ total: { observations: 1 }, waiters: [{ deviceId: id }], processes: 1 });
    listed.mockRestore();
  });

  it('can be asked for of one device, by whoever may see it', async () => {
    const { token } = await customer('stranger@x.org');
    const [one, another] = [await device(), await device()];
    for (const id of [one, another, another]) await waits(id);
    expect((await list(admin, `?deviceId=${one}`)).total.observations).toBe(1);
    expect((await list(admin, `?deviceId=${another.toUpperCase()}`)).total.observations).toBe(2);
    const status = async (caller: string, id: string) =>
      (await server.call('GET', `${PATH}?deviceId=${id}`, { token: caller })).status;
    expect(await status(token, one)).toBe(403);
    expect(await status(other, one)).toBe(404);
    expect(await status(admin, systemRandom.uuid())).toBe(404);
    expect(await status(admin, 'no-uuid')).toBe(400);
  });

  it('leave out a device that is gone in the same moment', async () => {
    const [id, gone] = [await device(), await device()];
    for (const deviceId of [id, gone]) await waits(deviceId, { protocol: 'http' });
    await server.core.state.devices.deleteDevice(gone);
    expect(await list(admin)).toMatchObject({ total: { polls: 1 }, waiters: [{ deviceId: id }] });
  });

  it('let others have their turn while there are very many', async () => {
    const id = await device();
    await waits(id);
    const [first] = here as [WaiterHere];
    here = Array.from({ length: 50_000 }, () => first);
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    expect((await list(admin)).total.observations).toBe(50_000);
    counting = false;
    expect(turns).toBeGreaterThanOrEqual(100);
  });
});

describe('Who asks for polls and observations too often', () => {
  const refused = async (settings: Record<string, string>, ask: (server: ServerUnderTest) => Promise<Answer[]>) => {
    const server = await ServerUnderTest.start(settings);
    try {
      return (await ask(server)).map(({ status }) => status);
    } finally {
      await server.stop();
    }
  };

  it('gets 429 with the time after which to ask again, and nobody else does', async () => {
    const statuses = await refused({ TANDEM_WAITERS_RATE: '2:60' }, async (server) => {
      const { token } = await server.login();
      const other = await server.login(OTHER_ADMIN);
      const answers: Answer[] = [];
      for (let n = 0; n < 3; n++) answers.push(await server.call('GET', PATH, { token }));
      expect(Number(answers[2]?.headers.get('Retry-After'))).toBeGreaterThan(0);
      expect(answers[2]?.json()).toMatchObject({ message: 'Asked too often! At most 2 in 60 s' });
      return [...answers, await server.call('GET', PATH, { token: other.token })];
    });
    expect(statuses).toEqual([200, 200, 429, 200]);
  });

  it('gets 429 where as many ask at once as this process asks for', async () => {
    const settings = {
      TANDEM_WAITERS_RATE: '1000000:1',
      TANDEM_WAITERS_MAX_QUESTIONS: '1',
      TANDEM_WAITERS_TIMEOUT: '60000',
    };
    const statuses = await refused(settings, async (server) => {
      const { token } = await server.login();
      let answer = (_: never[]) => {};
      let asked = () => {};
      const isAsked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const { processes } = server.core.state;
      jest.spyOn(processes, 'ask').mockImplementationOnce(() => {
        asked();
        return new Promise((resolve) => {
          answer = (replies) => resolve({ replies, reached: 1 });
        });
      });
      const first = server.call('GET', PATH, { token });
      await isAsked;
      const second = await server.call('GET', PATH, { token });
      answer([]);
      return [await first, second, await server.call('GET', PATH, { token })];
    });
    expect(statuses).toEqual([200, 429, 200]);
  });
});
