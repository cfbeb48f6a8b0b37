import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListedObservation } from '@tandem/coap-transport';
import { createHealthServer } from './health';
import { listObservations, renderListing } from './observation-listing';

const uuid = (n: number) => `784f394c-42b6-435a-983c-${String(n).padStart(12, '0')}`;

const observation = (n: number): ListedObservation => ({
  deviceId: uuid(n),
  kind: 'attributes',
  peer: `192.0.2.7:${n}`,
  token: 'a1b2',
  type: 'CON',
  number: 4,
  ageSeconds: 86,
  lastAckSeconds: null,
  state: 'idle',
  notifications: 4,
  roundTripMillis: null,
});

describe('The list of observations', () => {
  let observations: Iterable<ListedObservation>;
  let server: Server;
  beforeEach(async () => {
    observations = [];
    server = createHealthServer({
      hanging: async () => [],
      parts: async () => [],
      metrics: async () => '',
      observations: async (query) => renderListing([await listObservations(observations, query)], query),
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function ask(query = '', method = 'GET') {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/observations${query}`, { method });
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  }

  /** The ports of those listed, and how many there are. */
  async function list(query = '') {
    const { status, text } = await ask(query);
    const { total, observations: rows } = JSON.parse(text) as { total: number; observations: ListedObservation[] };
    return { status, total, ports: rows.map(({ peer }) => Number(peer.split(':')[1])) };
  }

  it('is empty where nobody observes', async () => {
    expect(await ask()).toEqual({
      status: 200,
      type: 'application/json',
      text: '{"total":0,"observations":[]}\n',
    });
  });

  it('says of each what there is to say', async () => {
    observations = [observation(1)];
    expect(JSON.parse((await ask()).text)).toEqual({ total: 1, observations: [observation(1)] });
    expect((await ask('', 'HEAD')).text).toBe('');
  });

  it('has the oldest 1000 unless more or fewer are asked for, and says how many there are', async () => {
    observations = Array.from({ length: 12_000 }, (_, i) => observation(i));
    const first = (count: number) => Array.from({ length: count }, (_, i) => i);
    expect(await list()).toEqual({ status: 200, total: 12_000, ports: first(1_000) });
    expect(await list('?limit=2')).toEqual({ status: 200, total: 12_000, ports: [0, 1] });
    expect(await list('?limit=10000')).toEqual({ status: 200, total: 12_000, ports: first(10_000) });
  });

  it('can be narrowed to a device, to a peer and to both', async () => {
    observations = [observation(1), observation(2), { ...observation(2), peer: '192.0.2.7:1' }];
    expect(await list(`?deviceId=${uuid(2)}`)).toEqual({ status: 200, total: 2, ports: [2, 1] });
    expect(await list(`?deviceId=${uuid(2).toUpperCase()}`)).toMatchObject({ total: 2 });
    expect(await list('?peer=192.0.2.7:1')).toEqual({ status: 200, total: 2, ports: [1, 1] });
    expect(await list(`?peer=192.0.2.7%3A1&deviceId=${uuid(2)}`)).toMatchObject({ total: 1 });
    expect(await list('?peer=192.0.2.8:1&limit=1')).toEqual({ status: 200, total: 0, ports: [] });
  });

  it.each([
    ['?limit=0', 'limit is a whole number from 1 to 10000\n'],
    ['?limit=10001', 'limit is a whole number from 1 to 10000\n'],
    ['?limit=1e3', 'limit is a whole number from 1 to 10000\n'],
    ['?limit=', 'limit is a whole number from 1 to 10000\n'],
    ['?deviceId=device', 'deviceId is the UUID of a device\n'],
    ['?peer=192.0.2.7', 'peer is address:port\n'],
    ['?token=a1', 'only limit, deviceId and peer can be asked for\n'],
    ['?limit=1&limit=2', 'each of limit, deviceId and peer can be there once\n'],
  ])('is refused with a sentence for %s', async (query, text) => {
    expect(await ask(query)).toEqual({ status: 400, type: 'text/plain', text });
  });

  it('lets others have their turn while many are gone through', async () => {
    let turns = 0;
    let open = true;
    const turn = () => {
      turns++;
      if (open) setImmediate(turn);
    };
    const turnsAt: number[] = [];
    observations = (function* () {
      setImmediate(turn);
      for (let i = 0; i < 50_000; i++) {
        if (i % 10_000 === 0) turnsAt.push(turns);
        yield observation(i);
      }
    })();
    expect(await list('?limit=1')).toMatchObject({ total: 50_000 });
    open = false;
    for (let i = 1; i < turnsAt.length; i++) expect(turnsAt[i]).toBeGreaterThanOrEqual((turnsAt[i - 1] ?? 0) + 10);
  });

  it('says so when it cannot be made', async () => {
    observations = (function* () {
      yield observation(1);
      throw new Error('broken');
    })();
    expect(await ask()).toMatchObject({ status: 500, text: 'the observations could not be listed\n' });
  });
});
