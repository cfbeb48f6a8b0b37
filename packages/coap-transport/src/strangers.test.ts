import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LabelValue, State } from '@tandem/core';
import { generate, type NamedOption, type ParsedPacket, parse } from 'coap-packet';
import { kind } from './endpoint/testing/fake-client';
import type { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

const run = promisify(execFile);

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
afterEach(() => gateway.stop());

async function start(settings: Record<string, string> = {}, over?: (state: State) => State): Promise<void> {
  gateway = await TestGateway.start({ settings, over });
  device = await gateway.device();
  client = await gateway.client();
}

const path = (feature: string, token = device.token) => `api/v1/${token}/${feature}`;
const telemetry = (token?: string) => ({ method: 'POST', path: path('telemetry', token), payload: '{"a":1}' });
const dropped = (reason: LabelValue<'tandem_coap_dropped_total', 'reason'>) =>
  gateway.gauge('tandem_coap_dropped_total', { reason });
const refusedLookups = (bound: 'all' | 'peer') => gateway.gauge('tandem_coap_lookups_refused_total', { bound });

/** A store that holds back the answers about credentials until it is told to give them. */
function slowStore() {
  const held: (() => void)[] = [];
  let slow = false;
  const over = (state: State): State => ({
    ...state,
    devices: new Proxy(state.devices, {
      get(devices, name) {
        const method = Reflect.get(devices, name);
        if (typeof method !== 'function') return method;
        if (name !== 'resolveCredentials') return method.bind(devices);
        return async (token: string) => {
          if (slow) await new Promise<void>((resolve) => void held.push(resolve));
          return devices.resolveCredentials(token);
        };
      },
    }),
  });
  return {
    over,
    held,
    slowDown: () => {
      slow = true;
    },
    goOn: () => {
      slow = false;
      for (const give of held.splice(0)) give();
    },
  };
}

describe('random tokens while the store is slow', () => {
  const SETTINGS = { TANDEM_COAP_MAX_LOOKUPS: '10', COAP_PIGGYBACK_TIMEOUT: '50' };

  async function flood(store: ReturnType<typeof slowStore>, count: number): Promise<RawClient> {
    store.slowDown();
    const stranger = await gateway.client();
    for (let i = 0; i < count; i++) stranger.send(telemetry(`guess${i}`));
    await until(() => refusedLookups('all') === count - 10);
    return stranger;
  }

  it('no more are looked up at once than allowed; the rest gets 5.03 with Max-Age', async () => {
    const store = slowStore();
    await start(SETTINGS, store.over);
    const stranger = await flood(store, 40);
    expect([gateway.gauge('tandem_coap_lookups'), store.held.length]).toEqual([10, 10]);
    const refused = await stranger.next(({ kind }) => kind === 'ACK 5.03');
    expect(refused).toMatchObject({ maxAge: 1, text: '' });
    store.goOn();
    await until(() => gateway.gauge('tandem_coap_lookups') === 0);
  });

  it('a device whose token is known is served at once', async () => {
    const store = slowStore();
    await start(SETTINGS, store.over);
    await client.ask(telemetry());
    await flood(store, 40);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
    expect(gateway.gauge('tandem_coap_lookups')).toBe(10);
    store.goOn();
  });

  it('a new device is served as soon as there is room', async () => {
    const store = slowStore();
    await start(SETTINGS, store.over);
    await flood(store, 40);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 5.03', maxAge: 1 });
    store.goOn();
    await until(() => gateway.gauge('tandem_coap_lookups') === 0);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
  });

  it('blocks of a longer request wait for room as well', async () => {
    const store = slowStore();
    await start(SETTINGS, store.over);
    await flood(store, 40);
    const block = { ...telemetry(), payload: 'x'.repeat(16), block1: 8 };
    expect(await client.ask(block)).toMatchObject({ kind: 'ACK 5.03', maxAge: 1 });
    expect(gateway.gauge('tandem_coap_upload_bytes')).toBe(0);
    store.goOn();
  });

  it('half of all exchanges are for those whose tokens are known, whatever is set', async () => {
    const store = slowStore();
    await start({ ...SETTINGS, TANDEM_COAP_MAX_LOOKUPS: '1000', TANDEM_COAP_MAX_EXCHANGES: '20' }, store.over);
    await client.ask(telemetry());
    await flood(store, 40);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
    store.goOn();
  });
});

describe('random tokens from the address of a device while the store is slow', () => {
  it('no more than a share is looked up, and the device is served whatever it may have under way', async () => {
    const store = slowStore();
    await start({ TANDEM_COAP_MAX_EXCHANGES_PER_PEER: '4', COAP_PIGGYBACK_TIMEOUT: '50' }, store.over);
    await client.ask(telemetry());
    store.slowDown();
    for (let i = 0; i < 50; i++) client.send(telemetry(`guess${i}`));
    await until(() => refusedLookups('peer') === 50 - 32);
    expect([gateway.gauge('tandem_coap_lookups'), store.held.length]).toEqual([32, 32]);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
    const neighbour = await gateway.client();
    neighbour.send(telemetry('guess'));
    await until(() => store.held.length === 33);
    expect(gateway.gauge('tandem_coap_lookup_peers')).toBe(2);
    store.goOn();
    await until(() => gateway.gauge('tandem_coap_lookups') === 0);
    expect(gateway.gauge('tandem_coap_lookup_peers')).toBe(0);
    store.slowDown();
    for (let i = 50; i < 82; i++) client.send(telemetry(`guess${i}`));
    await until(() => store.held.length === 32);
    expect(refusedLookups('peer')).toBe(50 - 32);
    store.goOn();
  });
});

describe('a source address whose answers are used up', () => {
  it('a device behind it is served, also when its token has not been seen before', async () => {
    await start({ TANDEM_COAP_SOURCE_REPLIES: '1' });
    const stranger = await gateway.client();
    for (let i = 0; i < 30; i++) stranger.send(telemetry(`guess${i}`));
    await until(() => dropped('source_replies') === 20);
    expect(stranger.datagrams.length).toBeLessThanOrEqual(10);
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
    expect(await client.ask(telemetry())).toMatchObject({ kind: 'ACK 2.01' });
  });
});

describe('with COAP_ECHO=on', () => {
  const ECHO = '252';
  let messageId = 1;

  interface EchoRequest {
    readonly method?: string;
    readonly path: string;
    readonly observe?: true;
    readonly payload?: string;
    readonly echo?: Buffer;
    readonly block1?: number;
  }

  /** `RawClient` knows no Echo option. */
  async function ask(request: EchoRequest): Promise<ParsedPacket> {
    const options: NamedOption[] = request.path
      .split('/')
      .map((segment) => ({ name: 'Uri-Path', value: Buffer.from(segment) }));
    if (request.observe) options.push({ name: 'Observe', value: Buffer.alloc(0) });
    if (request.block1 !== undefined) options.push({ name: 'Block1', value: Buffer.from([request.block1]) });
    if (request.echo) options.push({ name: ECHO, value: request.echo } as unknown as NamedOption);
    const token = client.newToken();
    const payload = Buffer.from(request.payload ?? '');
    client.sendRaw(
      generate({ code: request.method ?? 'GET', confirmable: true, messageId: messageId++, token, options, payload }),
    );
    await client.next((message) => message.token === token.toString('hex'));
    const found = client.datagrams.map((datagram) => parse(datagram)).find((packet) => packet.token.equals(token));
    if (found === undefined) throw new Error('it has not arrived');
    return found;
  }

  const echoOf = ({ options }: ParsedPacket) => options.find(({ name }) => String(name) === ECHO)?.value as Buffer;
  const call = { method: 'POST', payload: '{"method":"getTime","params":{}}' };

  beforeEach(() => start({ COAP_ECHO: 'on' }));

  it('a device that only sends need not prove anything', async () => {
    expect(kind(await ask({ method: 'POST', path: path('telemetry'), payload: '{"a":1}' }))).toBe('ACK 2.01');
    expect(kind(await ask({ method: 'POST', path: path('attributes'), payload: '{"a":1}' }))).toBe('ACK 2.01');
    expect(kind(await ask({ path: path('attributes') }))).toBe('ACK 2.05');
    expect(dropped('unproved')).toBe(0);
  });

  it.each(['attributes', 'rpc'])('an observation of %s begins when the address is proved', async (feature) => {
    const challenge = await ask({ path: path(feature), observe: true });
    expect(kind(challenge)).toBe('ACK 4.01');
    expect([gateway.observations, gateway.sessionEndListeners, dropped('unproved')]).toEqual([0, 0, 1]);
    const answer = await ask({ path: path(feature), observe: true, echo: echoOf(challenge) });
    expect(kind(answer)).toBe(feature === 'rpc' ? 'ACK 2.03' : 'ACK 2.05');
    expect(gateway.observations).toBe(1);
  });

  it('a command of the device is run once, when the address is proved', async () => {
    const challenge = await ask({ ...call, path: path('rpc') });
    expect(kind(challenge)).toBe('ACK 4.01');
    const answer = await ask({ ...call, path: path('rpc'), echo: echoOf(challenge) });
    expect([kind(answer), JSON.parse(answer.payload.toString())]).toEqual(['ACK 2.05', { time: expect.anything() }]);
    expect(kind(await ask({ ...call, path: path('rpc') }))).toBe('ACK 2.05');
  });

  it('no block of a command is kept before that', async () => {
    const first = { method: 'POST', path: path('rpc'), payload: call.payload.slice(0, 16), block1: 8 };
    const challenge = await ask(first);
    expect([kind(challenge), gateway.gauge('tandem_coap_upload_bytes')]).toEqual(['ACK 4.01', 0]);
    expect(kind(await ask({ ...first, echo: echoOf(challenge) }))).toBe('ACK 2.31');
    expect(kind(await ask({ ...first, payload: call.payload.slice(16, 32), block1: (1 << 4) | 0 }))).toBe('ACK 2.05');
  });

  it('a reply to a command of the server is taken without a proof', async () => {
    const pending = await gateway.command(device);
    const reply = { method: 'POST', path: path(`rpc/${pending.requestId}`), payload: '{"ok":true}' };
    expect(kind(await ask(reply))).toBe('ACK 2.01');
    expect(await pending.outcome).toMatchObject({ kind: 'answered' });
  });

  it('attributes that are long are read when the address is proved', async () => {
    await gateway.share(device, { x: JSON.stringify('y'.repeat(500)) });
    const challenge = await ask({ path: path('attributes') });
    expect(kind(challenge)).toBe('ACK 4.01');
    const answer = await ask({ path: path('attributes'), echo: echoOf(challenge) });
    expect(answer.payload.length).toBeGreaterThan(500);
  });

  it('wrong credentials are not offered a proof', async () => {
    const refusal = await ask({ path: path('attributes', 'nobody'), observe: true });
    expect([kind(refusal), refusal.options]).toEqual(['ACK 4.01', []]);
  });

  describe('the libcoap client answers a challenge by itself', () => {
    const TYPES = [['confirmable'], ['non-confirmable', '-N']];
    const url = (feature: string) => `coap://127.0.0.1:${gateway.transport.port}/${path(feature)}`;
    const libcoap = async (...args: string[]) => (await run('coap-client-notls', ['-B', '5', ...args])).stdout.trim();

    it.each(TYPES)('when it reads, %s', async (_, ...type) => {
      const value = 'y'.repeat(2_500);
      await gateway.share(device, { x: JSON.stringify(value) });
      expect(await libcoap(...type, '-m', 'get', url('attributes'))).toBe(`{"shared":{"x":"${value}"}}`);
      expect(dropped('unproved')).toBe(1);
    });

    it.each([['at once'], ['by blocks', '-b', '16']])('when it has a command, %s', async (_, ...blocks) => {
      expect(await libcoap(...blocks, '-m', 'post', '-e', call.payload, url('rpc'))).toMatch(/^{"time":/);
      expect(dropped('unproved')).toBe(1);
    });

    it.each(TYPES)('when it observes, %s', async (_, ...type) => {
      const observed = libcoap('-s', '2', ...type, '-m', 'get', url('attributes'));
      await until(() => gateway.observations === 1);
      await gateway.share(device, { x: '1' });
      expect(await observed).toContain('{"x":1}');
      expect([dropped('unproved'), gateway.observations]).toEqual([1, 0]);
    });
  });
});
