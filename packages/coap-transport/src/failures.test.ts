import type { State } from '@tandem/core';
import type { RawClient } from './testing/raw-client';
import { type TestDevice, TestGateway, until } from './testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
const token = Buffer.from('d1', 'hex');
afterEach(() => gateway.stop());

async function start(settings: Record<string, string> = {}, over?: (state: State) => State): Promise<void> {
  gateway = await TestGateway.start({ settings, over });
  device = await gateway.device();
  client = await gateway.client();
}

const path = (feature: string) => `api/v1/${device.token}/${feature}`;

describe('beyond COAP_MAX_OBSERVATIONS', () => {
  let observed: string;
  beforeEach(async () => {
    await start({ COAP_MAX_OBSERVATIONS: '1' });
    const first = await gateway.device();
    observed = `api/v1/${first.token}/attributes`;
    await client.ask({ path: observed, observe: 0, token });
    expect(gateway.observations).toBe(1);
  });

  it('attributes get a plain answer, which holds the attributes of both scopes', async () => {
    await gateway.share(device, { x: '1' });
    const other = await gateway.client();
    expect(await other.ask({ path: path('attributes'), observe: 0 })).toMatchObject({
      kind: 'ACK 2.05',
      observe: undefined,
      format: 50,
      text: '{"shared":{"x":1}}',
    });
    expect(gateway.observations).toBe(1);
  });

  it('commands get 5.03 with Max-Age', async () => {
    const other = await gateway.client();
    const answer = await other.ask({ path: path('rpc'), observe: 0 });
    expect(answer).toMatchObject({ kind: 'ACK 5.03', observe: undefined, text: '' });
    expect(answer.maxAge).toBeGreaterThan(0);
    expect(gateway.sessionEndListeners).toBe(1);
  });

  it('there is room again when one ends', async () => {
    const other = await gateway.client();
    await other.ask({ path: path('rpc'), observe: 0 });
    await client.ask({ path: observed, observe: 1, token });
    expect(await other.ask({ path: path('rpc'), observe: 0 })).toMatchObject({ kind: 'ACK 2.03', observe: 0 });
  });
});

describe('while the store does not answer', () => {
  const REQUESTS: readonly [what: string, request: Parameters<RawClient['ask']>[0]][] = [
    ['a telemetry post', { method: 'POST', path: 'telemetry', payload: '{"a":1}' }],
    ['an attributes post', { method: 'POST', path: 'attributes', payload: '{"a":1}' }],
    ['a read of attributes', { path: 'attributes' }],
    ['a registration for attributes', { path: 'attributes', observe: 0 }],
    ['a registration for commands', { path: 'rpc', observe: 0 }],
    ['a reply', { method: 'POST', path: 'rpc/0', payload: '{}' }],
  ];

  it.each(REQUESTS)('%s of a device that is known gets 5.03 with Max-Age and no payload', async (_what, request) => {
    await start();
    await gateway.session(device);
    await gateway.core.state.close();
    const answer = await client.ask({ ...request, path: path(String(request.path)) });
    expect(answer).toMatchObject({ kind: 'ACK 5.03', observe: undefined, format: undefined, text: '' });
    expect(answer.maxAge).toBeGreaterThan(0);
    expect(gateway.observations).toBe(0);
    expect(gateway.sessionEndListeners).toBe(0);
  });

  it('a device that is not known yet gets 5.03, not 4.01', async () => {
    await start();
    await gateway.core.state.close();
    const answer = await client.ask({ method: 'POST', path: path('telemetry'), payload: '{"a":1}' });
    expect(answer).toMatchObject({ kind: 'ACK 5.03', text: '' });
    expect(answer.maxAge).toBeGreaterThan(0);
  });

  it('a bad payload is still a bad payload', async () => {
    await start();
    await gateway.session(device);
    await gateway.core.state.close();
    expect(await client.ask({ method: 'POST', path: path('telemetry'), payload: '{' })).toMatchObject({
      kind: 'ACK 4.00',
    });
  });

  it('an observation stays and its commands are not lost', async () => {
    let failing = false;
    await start({}, (state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        open: (...given) => (failing ? Promise.reject(new Error('no store')) : state.rpcs.open(...given)),
      }),
    }));
    await client.ask({ path: path('rpc'), observe: 0, token });
    failing = true;
    const first = await gateway.command(device);
    await until(() => gateway.log.some((line) => line.includes('could not be continued')));
    failing = false;
    await gateway.command(device);
    expect(await client.notification(token)).toMatchObject({
      observe: 1,
      text: `{"id":${first.requestId},"method":"m","params":{}}`,
    });
    expect(await client.notification(token)).toMatchObject({ observe: 2, text: '{"id":1,"method":"m","params":{}}' });
  });
});

describe('a fault of the gateway', () => {
  const failing = (fault: unknown) => (state: State) => ({
    ...state,
    devices: over(state.devices, {
      resolveCredentials: (id) => (id === 'fault' ? Promise.reject(fault) : state.devices.resolveCredentials(id)),
    }),
    attributes: over(state.attributes, { read: () => Promise.reject(fault) }),
  });
  const ofLog = () => gateway.log.filter((line) => line.includes('correlationId'));

  it('is 5.00 with the id of the one line in the log as its payload', async () => {
    await start({}, failing(new Error('disk on fire')));
    const answer = await client.ask({ path: path('attributes'), query: ['clientKeys=a'] });
    expect(answer).toMatchObject({ kind: 'ACK 5.00', format: undefined, maxAge: undefined });
    expect(answer.text).toMatch(/^[0-9a-f]{12}$/);
    expect(ofLog()).toHaveLength(1);
    for (const part of [answer.text, 'disk on fire']) expect(ofLog()[0]).toContain(part);
    expect(ofLog()[0]).not.toContain(device.token);
  });

  it('has a line of its own in the log, also when another one was there a moment ago', async () => {
    await start({}, (state) => ({
      ...state,
      attributes: over(state.attributes, { read: () => Promise.reject(new Error('disk on fire')) }),
    }));
    const ask = () => client.ask({ path: path('attributes'), query: ['clientKeys=a'] });
    const answers = [await ask(), await ask(), await ask()];
    expect(new Set(answers.map(({ text }) => text)).size).toBe(3);
    answers.forEach(({ text }, i) => {
      expect(ofLog()[i]).toContain(text);
    });
  });

  it('that a stranger meets gives it no more than three times what it sent', async () => {
    await start({}, failing(new Error('disk on fire')));
    const answer = await client.ask({ method: 'POST', path: 'api/v1/fault/telemetry', payload: '{"a":1}' });
    expect(answer.kind).toBe('ACK 5.00');
    expect(answer.text).toMatch(/^([0-9a-f]{12})?$/);
    expect(answer.text.length).toBeLessThanOrEqual(16);
    expect(ofLog()).toHaveLength(1);
  });
});

describe('while the store is slow', () => {
  it('a one-way command that is being handed to an observer is not handed to a poll as well', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await start({}, (state) => ({
      ...state,
      rpcs: over(state.rpcs, {
        async transition(id, from, patch) {
          if (patch.status === 'SENT') await held;
          return state.rpcs.transition(id, from, patch);
        },
      }),
    }));
    client.acknowledges = false;
    const sent = await gateway.command(device, { oneway: true });
    await client.ask({ path: path('rpc'), observe: 0, token });
    await client.notification(token);
    expect((await gateway.rpc(sent.id))?.status).toBe('QUEUED');
    const session = await gateway.session(device);
    const outcome = await new Promise((resolve) => gateway.core.rpcDelivery.openPoll(session, 50, resolve));
    expect(outcome).toEqual({ kind: 'expired' });
    release();
    await gateway.becomes(sent, 'SENT');
  });
});

it('a command that an observation asked for and did not live to get goes to the next poll', async () => {
  let gate: Promise<void> | undefined;
  let asked = () => {};
  await start({}, (state) => ({
    ...state,
    rpcs: over(state.rpcs, {
      async open(...given) {
        const open = await state.rpcs.open(...given);
        asked();
        await gate;
        return open;
      },
    }),
  }));
  await client.ask({ path: path('rpc'), observe: 0, token });
  let release = () => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  const reading = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const sent = await gateway.command(device, { oneway: true });
  await reading;
  await client.ask({ path: path('rpc'), observe: 1, token });
  release();
  gate = undefined;
  const session = await gateway.session(device);
  const outcome = new Promise((resolve) => gateway.core.rpcDelivery.openPoll(session, 2_000, resolve));
  expect(await outcome).toMatchObject({
    kind: 'event',
    event: { message: { payload: '{"id":0,"method":"m","params":{}}' } },
  });
  expect(await client.rest()).toEqual([]);
  expect((await gateway.rpc(sent.id))?.status).toBe('QUEUED');
});

describe('closing', () => {
  it('ends each observation with a final 5.03, and what was not acknowledged can be delivered again', async () => {
    await start();
    client.acknowledges = false;
    await client.ask({ path: path('rpc'), observe: 0, token });
    const sent = await gateway.command(device, { oneway: true });
    await client.notification(token);
    await gateway.becomes(sent, 'SENT');
    await gateway.transport.close();
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 5.03', observe: undefined, text: '' });
    await gateway.becomes(sent, 'QUEUED');
    expect(gateway.observations).toBe(0);
    expect(gateway.sessionEndListeners).toBe(0);
  });
});

/** A store that does what is given instead of what it would do. */
function over<T extends object>(store: T, given: Partial<T>): T {
  return new Proxy(store, {
    get(target, name) {
      const own = given[name as keyof T] ?? Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
