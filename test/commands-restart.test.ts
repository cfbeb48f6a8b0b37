import { type RedisServer, startRedis } from '../packages/state-redis/src/testing/redis-server';
import { CoapDevice, type CoapExchange } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { type ServerAnswer, ServerClient } from './support/server-client';

/** A command in hand of a dead process is free again after this and two seconds. */
const SETTINGS = { COAP_TIMEOUT: '1000' };
const LIFE = 120_000;

/** A gateway before and after its death: what is the device's and the sender's side each time. */
interface World {
  /** Where the device is. */
  readonly door: GatewayProcess;
  /** Where the sender is; the same process or another. */
  readonly server: ServerClient;
  /** kill -9 of the process at the device's side, and whatever takes its place. */
  die(): Promise<World>;
  stop(): Promise<void>;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ appendonly: 'everysec' });
});
afterAll(async () => {
  await cleanUp();
  await redis.stop();
});

async function embedded(): Promise<World> {
  const world = async (gateway: GatewayProcess): Promise<World> => ({
    door: gateway,
    server: await ServerClient.login(gateway.http),
    async die() {
      await gateway.stop('SIGKILL');
      return world(await gateway.again(SETTINGS));
    },
    async stop() {
      await gateway.stop();
    },
  });
  return world(await GatewayProcess.start(SETTINGS));
}

async function overRedis(): Promise<World> {
  const settings = { ...SETTINGS, REDIS_URL: redis.url };
  const [door, other] = await Promise.all([GatewayProcess.start(settings), GatewayProcess.start(settings)]);
  const server = await ServerClient.login(other.http);
  const left: World = {
    door: other,
    server,
    die: () => Promise.reject(new Error('one death is enough')),
    async stop() {
      await other.stop();
    },
  };
  return {
    ...left,
    door,
    async die() {
      await door.stop('SIGKILL');
      return left;
    },
  };
}

interface Command {
  readonly id: number;
  readonly method: string;
}

let devices = 0;
async function aDevice({ server, door }: World) {
  const token = `restart-${++devices}`;
  return { token, id: await server.createDevice(token), coap: await CoapDevice.open(door.coap, token) };
}

async function observe(device: CoapDevice): Promise<CoapExchange> {
  const observation = device.observe('rpc');
  expect((await observation.next()).code).toBe('2.03');
  return observation;
}

const nextOf = async (observation: CoapExchange) => JSON.parse((await observation.next()).text) as Command;

async function persist(server: ServerClient, way: 'oneway' | 'twoway', deviceId: string, method: string) {
  const { text } = await server.command(way, deviceId, { method, persistent: true, timeout: LIFE });
  return (JSON.parse(text) as { rpcId: string }).rpcId;
}

/** Resolves when the command has come so far. */
async function becomes(server: ServerClient, rpcId: string, status: string): Promise<void> {
  while ((await server.persistentStatus(rpcId)) !== status) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.each([
  ['the embedded gateway', embedded],
  ['one of two gateways over Redis', overRedis],
])('kill -9 of %s', (_which, start) => {
  it('loses no persistent command and takes none for delivered that was not; an answer afterwards counts', async () => {
    const before = await start();
    const silent = await aDevice(before);
    const observation = await observe(silent.coap);
    silent.coap.acknowledges = false;
    const oneway = await persist(before.server, 'oneway', silent.id, 'sent');
    const twoway = await persist(before.server, 'twoway', silent.id, 'queued');
    expect((await nextOf(observation)).method).toBe('sent');
    await becomes(before.server, oneway, 'SENT');
    const polling = await aDevice(before);
    const taken = await persist(before.server, 'twoway', polling.id, 'taken');
    expect((await new HttpDevice(before.door.http, polling.token).poll('rpc')).text).toContain('"taken"');
    await becomes(before.server, taken, 'DELIVERED');

    const { door, server, stop } = await before.die();
    expect(['SENT', 'TIMEOUT']).toContain(await server.persistentStatus(oneway));
    expect(await server.persistentStatus(twoway)).toBe('QUEUED');
    expect(await server.persistentStatus(taken)).toBe('DELIVERED');

    // The one that had answered nothing yet does so now.
    expect((await new HttpDevice(door.http, polling.token).post('rpc/0', '{"done":1.0}')).status).toBe(200);
    const { text } = await server.send('GET', `/api/rpc/persistent/${taken}`);
    expect(text).toContain('"response":{"done":1.0},"status":"SUCCESSFUL"');

    // The other one comes back and gets what it has not acknowledged, whichever comes first.
    const back = await CoapDevice.open(door.coap, silent.token);
    const again = await observe(back);
    const commands = [await nextOf(again), await nextOf(again)];
    expect(commands.map(({ method }) => method).sort()).toEqual(['queued', 'sent']);
    await becomes(server, oneway, 'DELIVERED');
    const { id } = commands.find(({ method }) => method === 'queued') ?? { id: -1 };
    expect((await back.post(`rpc/${id}`, '{}')).code).toBe('2.01');
    expect(await server.persistentStatus(twoway)).toBe('SUCCESSFUL');
    for (const device of [silent.coap, polling.coap, back]) device.close();
    await stop();
  });
});

describe('Two gateways over Redis that hand out one command after the other', () => {
  it('know of each other’s: the next one goes out where the device is when the answer comes in elsewhere', async () => {
    const settings = { REDIS_URL: redis.url, ACTORS_RPC_SUBMIT_STRATEGY_TYPE: 'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE' };
    const [one, other] = await Promise.all([GatewayProcess.start(settings), GatewayProcess.start(settings)]);
    const server = await ServerClient.login(one.http);
    const id = await server.createDevice('elsewhere');
    const http = new HttpDevice(one.http, 'elsewhere');
    const coap = await CoapDevice.open(other.coap, 'elsewhere');
    const observation = await observe(coap);
    const rpcIds = [];
    for (const method of ['a', 'b', 'c']) rpcIds.push(await persist(server, 'twoway', id, method));
    for (const [n, method] of ['a', 'b', 'c'].entries()) {
      expect((await nextOf(observation)).method).toBe(method);
      await becomes(server, rpcIds[n] ?? '', 'DELIVERED');
      expect((await http.poll('rpc')).text).toContain(`"${method}"`);
      expect(observation.unread).toBe(0);
      expect((await http.post(`rpc/${n}`, '{}')).status).toBe(200);
    }
    coap.close();
    await Promise.all([one.stop(), other.stop()]);
  });
});

describe('kill -9 of the gateway at the device’s side', () => {
  it('leaves those who wait for their commands at the other one to the device that comes back', async () => {
    const before = await overRedis();
    const { id, token, coap } = await aDevice(before);
    const observation = await observe(coap);
    coap.acknowledges = false;
    const told: ServerAnswer[] = [];
    const send = async (way: 'oneway' | 'twoway', method: string) => {
      const answer = await before.server.command(way, id, { method, timeout: LIFE });
      told.push(answer);
      return answer;
    };
    const oneway = send('oneway', 'first');
    expect((await nextOf(observation)).method).toBe('first');
    const twoway = send('twoway', 'second');

    const { door, stop } = await before.die();
    const back = await CoapDevice.open(door.coap, token);
    const again = await observe(back);
    expect(told).toEqual([]);
    for (let n = 0; n < 2; n++) {
      const command = await nextOf(again);
      if (command.method === 'second') await back.post(`rpc/${command.id}`, '{"by":"the other"}');
    }
    expect(await oneway).toEqual({ status: 200, text: '' });
    expect(await twoway).toEqual({ status: 200, text: '{"by":"the other"}' });
    coap.close();
    back.close();
    await stop();
  });
});

describe('After kill -9 and a new start', () => {
  it('a persistent command whose time is over by then is EXPIRED, and no device gets it', async () => {
    const before = await embedded();
    const { id, token, coap } = await aDevice(before);
    coap.close();
    const command = { method: 'late', persistent: true, expirationTime: Date.now() + 300 };
    const { rpcId } = JSON.parse((await before.server.command('twoway', id, command)).text) as { rpcId: string };
    const { door, server, stop } = await before.die();
    expect((await new HttpDevice(door.http, token).poll('rpc', 1)).status).toBe(408);
    await becomes(server, rpcId, 'EXPIRED');
    await stop();
  });

  it('commands go on one after the other', async () => {
    const settings = { ACTORS_RPC_SUBMIT_STRATEGY_TYPE: 'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE' };
    const gateway = await GatewayProcess.start(settings);
    let server = await ServerClient.login(gateway.http);
    const id = await server.createDevice('in-turn');
    for (const method of ['a', 'b']) await persist(server, 'twoway', id, method);
    expect((await new HttpDevice(gateway.http, 'in-turn').poll('rpc')).text).toContain('"a"');
    await gateway.stop('SIGKILL');

    const again = await gateway.again(settings);
    server = await ServerClient.login(again.http);
    const coap = await CoapDevice.open(again.coap, 'in-turn');
    const observation = await observe(coap);
    expect((await nextOf(observation)).method).toBe('a');
    expect((await new HttpDevice(again.http, 'in-turn').poll('rpc')).text).toContain('"a"');
    expect(observation.unread).toBe(0);
    await coap.post('rpc/0', '{}');
    expect((await nextOf(observation)).method).toBe('b');
    coap.close();
    await again.stop();
  });
});
