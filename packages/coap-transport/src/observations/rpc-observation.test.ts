import type { RawClient } from '../testing/raw-client';
import { type Command, type SentCommand, type TestDevice, TestGateway, until } from '../testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
/** D1 of the contract, new for each test. */
let device: TestDevice;
const token = Buffer.from('c1', 'hex');
beforeAll(async () => {
  gateway = await TestGateway.start({ settings: { COAP_TIMEOUT: '400' } });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
  client = await gateway.client();
});
afterEach(async () => {
  // What a test leaves observed must not count for the next one.
  await gateway.remove(device).catch(() => {});
  await until(() => gateway.observations === 0);
});

const path = (of = device) => `api/v1/${of.token}/rpc`;
const register = (more: object = {}) => client.ask({ path: path(), observe: 0, token, ...more });
const command = (given: Command = {}) => gateway.command(device, given);
const status = async ({ id }: SentCommand) => (await gateway.rpc(id))?.status;
const notification = () => client.notification(token);

describe('a registration for commands', () => {
  it('TV-292: is answered 2.03 with Observe 0 and nothing else', async () => {
    expect(await register()).toMatchObject({ kind: 'ACK 2.03', observe: 0, format: undefined, text: '' });
  });

  it('is refused without Observe for an unknown device token', async () => {
    expect(await client.ask({ path: 'api/v1/nope/rpc', observe: 0, token })).toMatchObject({
      kind: 'ACK 4.01',
      observe: undefined,
      text: '',
    });
  });

  it('TV-293: gets a new command as a notification', async () => {
    await register();
    await command({ method: 'setGpio', params: '{"pin":"23","value":1}' });
    expect(await notification()).toMatchObject({
      kind: 'CON 2.05',
      token: 'c1',
      observe: 1,
      format: 50,
      text: '{"id":0,"method":"setGpio","params":{"pin":"23","value":1}}',
    });
  });

  it('TV-293: a NON registration gets NON notifications', async () => {
    expect(await register({ confirmable: false })).toMatchObject({ kind: 'NON 2.03', observe: 0 });
    const sent = await command({ params: 'null' });
    expect(await notification()).toMatchObject({
      kind: 'NON 2.05',
      observe: 1,
      text: '{"id":0,"method":"m","params":null}',
    });
    await gateway.becomes(sent, 'DELIVERED');
  });

  it('TV-294: is followed at once by all that is pending, 50 commands one by one in the order of their ids', async () => {
    for (let i = 0; i < 50; i++) await command({ oneway: i % 2 === 1 });
    expect(await register()).toMatchObject({ kind: 'ACK 2.03', observe: 0 });
    const seen: [number | undefined, number][] = [];
    for (let i = 0; i < 50; i++) {
      const { observe, text } = await notification();
      seen.push([observe, JSON.parse(text).id]);
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => [i + 1, i]));
    expect(await client.rest()).toEqual([]);
  });

  it('never brings a command that has expired', async () => {
    await command({ expirationTime: Date.now() - 1 });
    const short = await command({ expirationTime: Date.now() + 50 });
    await command({ oneway: true });
    await until(async () => Date.now() > ((await gateway.rpc(short.id))?.expirationTime ?? 0));
    await register();
    expect(JSON.parse((await notification()).text).id).toBe(2);
    expect(await client.rest()).toEqual([]);
  });

  it('brings an answered command to nobody', async () => {
    const sent = await command();
    await client.ask({ method: 'POST', path: `${path()}/0`, payload: '{}' });
    await gateway.becomes(sent, 'SUCCESSFUL');
    await command();
    await register();
    expect(JSON.parse((await notification()).text).id).toBe(1);
    expect(await client.rest()).toEqual([]);
  });

  it('Observe 1 ends it with 2.02, also with a token that observes nothing', async () => {
    await register();
    expect(await client.ask({ path: path(), observe: 1, token })).toMatchObject({
      kind: 'ACK 2.02',
      observe: undefined,
      text: '',
    });
    expect(gateway.observations).toBe(0);
    expect(await client.ask({ path: path(), observe: 1 })).toMatchObject({
      kind: 'ACK 2.02',
      observe: undefined,
      text: '',
    });
    const sent = await command();
    expect(await client.rest()).toEqual([]);
    expect(await status(sent)).toBe('QUEUED');
  });

  it('TV-303: stands beside an observation of attributes, each with its own token and numbers', async () => {
    const attributes = Buffer.from('a1', 'hex');
    await register();
    expect(
      await client.ask({ path: `api/v1/${device.token}/attributes`, observe: 0, token: attributes }),
    ).toMatchObject({
      kind: 'ACK 2.05',
      observe: 0,
      text: '{}',
    });
    expect(gateway.observations).toBe(2);
    await Promise.all([gateway.share(device, { x: '1' }), command(), command()]);
    const texts = [await notification(), await notification()].map(({ observe, text }) => [
      observe,
      JSON.parse(text).id,
    ]);
    expect(texts).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(await client.notification(attributes)).toMatchObject({ observe: 1, text: '{"x":1}' });
    await client.ask({ path: path(), observe: 1, token });
    await gateway.share(device, { x: '2' });
    expect(await client.notification(attributes)).toMatchObject({ observe: 2, text: '{"x":2}' });
  });
});

describe('what becomes of a command', () => {
  it('SENT with its notification, DELIVERED with the acknowledgement, SUCCESSFUL with the reply (TV-295)', async () => {
    client.acknowledges = false;
    await register();
    const sent = await command();
    const message = await notification();
    await gateway.becomes(sent, 'SENT');
    client.acknowledge(message);
    await gateway.becomes(sent, 'DELIVERED');
    expect(await client.ask({ method: 'POST', path: `${path()}/0`, payload: '{"result":"ok"}' })).toMatchObject({
      kind: 'ACK 2.01',
    });
    expect(await sent.outcome).toEqual({ kind: 'answered', response: '{"result":"ok"}', isJson: true });
  });

  it('a reply counts that comes before the acknowledgement', async () => {
    client.acknowledges = false;
    await register();
    const sent = await command();
    const message = await notification();
    await client.ask({ method: 'POST', path: `${path()}/0`, payload: '{"quick":true}' });
    client.acknowledge(message);
    expect(await sent.outcome).toMatchObject({ kind: 'answered', response: '{"quick":true}' });
    expect(await client.rest()).toEqual([]);
    expect(await status(sent)).toBe('SUCCESSFUL');
  });

  it('a one-way command is done when it is acknowledged', async () => {
    await register();
    const sent = await command({ oneway: true });
    await notification();
    expect(await sent.outcome).toEqual({ kind: 'handed-over' });
    expect(await status(sent)).toBe('DELIVERED');
  });

  it('the next one waits for the acknowledgement of the one before', async () => {
    client.acknowledges = false;
    await register();
    const first = await command();
    const second = await command();
    const message = await notification();
    await gateway.becomes(first, 'SENT');
    expect(await client.rest()).toEqual([]);
    expect(await status(second)).toBe('QUEUED');
    client.acknowledge(message);
    expect(JSON.parse((await notification()).text).id).toBe(1);
  });

  it('TV-304: TIMEOUT when there is no acknowledgement within COAP_TIMEOUT', async () => {
    client.acknowledges = false;
    await register();
    const before = performance.now();
    const sent = await command();
    const message = await notification();
    await gateway.becomes(sent, 'TIMEOUT');
    expect(performance.now() - before).toBeGreaterThan(390);
    expect(await sent.outcome).toEqual({ kind: 'timeout' });
    // Its caller has been told: what comes now changes nothing.
    client.acknowledge(message);
    const next = await command();
    expect(JSON.parse((await notification()).text).id).toBe(1);
    await gateway.becomes(next, 'SENT');
    expect(await status(sent)).toBe('TIMEOUT');
    // Nor does the next registration get it: only what is pending.
    await register();
    expect(JSON.parse((await notification()).text).id).toBe(1);
  });

  it('TV-304: TIMEOUT at its expiry when that is earlier', async () => {
    client.acknowledges = false;
    await register();
    const before = performance.now();
    const sent = await command({ timeout: 150 });
    await notification();
    await gateway.becomes(sent, 'TIMEOUT');
    expect(performance.now() - before).toBeLessThan(390);
  });

  it.each([false, true])(
    'a persistent one is tried again at each registration until its retries are used up (one-way: %s)',
    async (oneway) => {
      client.acknowledges = false;
      const sent = await command({ persistent: true, retries: 1, oneway, timeout: 60_000 });
      await register();
      await notification();
      await gateway.becomes(sent, 'TIMEOUT');
      await register();
      expect(await notification()).toMatchObject({ text: '{"id":0,"method":"m","params":{}}' });
      await gateway.becomes(sent, 'FAILED');
      expect(JSON.parse((await gateway.rpc(sent.id))?.response ?? '')).toEqual({
        error: 'There was a Timeout and all retry attempts have been exhausted. Retry attempts set: 1',
      });
      await register();
      expect(await client.rest()).toEqual([]);
    },
  );

  it('a persistent one that is acknowledged late is not sent to the same observer again', async () => {
    client.acknowledges = false;
    await register();
    const sent = await command({ persistent: true });
    const message = await notification();
    await gateway.becomes(sent, 'TIMEOUT');
    client.acknowledge(message);
    await gateway.becomes(sent, 'DELIVERED');
    await command();
    expect(JSON.parse((await notification()).text).id).toBe(1);
    expect(await client.rest()).toEqual([]);
  });

  it.each<[how: string, end: (message: Awaited<ReturnType<typeof notification>>) => unknown]>([
    ['a Reset', (message) => client.reset(message)],
    ['Observe 1', () => client.ask({ path: path(), observe: 1, token })],
  ])(
    'QUEUED again when the observation ends by %s before the acknowledgement; the next one gets it',
    async (_how, end) => {
      client.acknowledges = false;
      for (const oneway of [true, false]) {
        await register();
        const sent = await command({ oneway });
        const message = await notification();
        await gateway.becomes(sent, 'SENT');
        await end(message);
        await gateway.becomes(sent, 'QUEUED');
        await register();
        const again = await notification();
        expect(again).toMatchObject({ observe: 1, text: message.text });
        client.acknowledge(again);
        await gateway.becomes(sent, 'DELIVERED');
        await client.ask({ method: 'POST', path: `${path()}/${sent.requestId}`, payload: '{}' });
        await client.ask({ path: path(), observe: 1, token });
      }
    },
  );

  it('a two-way command without reply comes again with the next registration, a one-way one does not', async () => {
    await register();
    const oneWay = await command({ oneway: true });
    const twoWay = await command();
    await notification();
    await notification();
    await gateway.becomes(oneWay, 'DELIVERED');
    await gateway.becomes(twoWay, 'DELIVERED');
    expect(await register()).toMatchObject({ kind: 'ACK 2.03', observe: 3 });
    expect(await notification()).toMatchObject({ observe: 4, text: '{"id":1,"method":"m","params":{}}' });
    expect(await client.rest()).toEqual([]);
    expect(gateway.observations).toBe(1);
  });

  it.each([false, true])(
    'a second endpoint takes over what the first has not acknowledged (one-way: %s)',
    async (oneway) => {
      client.acknowledges = false;
      await register();
      const first = await command({ oneway });
      const outstanding = await notification();
      await gateway.becomes(first, 'SENT');
      const second = await gateway.client();
      second.acknowledges = false;
      expect(await second.ask({ path: path(), observe: 0, token })).toMatchObject({ kind: 'ACK 2.03', observe: 0 });
      const final = await notification();
      expect(final).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
      const taken = await second.notification(token);
      expect(taken).toMatchObject({ observe: 1, text: outstanding.text });
      await gateway.becomes(first, 'SENT');
      client.acknowledge(outstanding);
      client.reset(outstanding);
      client.reset(final);
      await client.rest();
      expect(await status(first)).toBe('SENT');
      expect(gateway.observations).toBe(1);
      second.acknowledge(taken);
      await gateway.becomes(first, 'DELIVERED');
      const next = await command();
      second.acknowledge(await second.notification(token));
      await gateway.becomes(next, 'DELIVERED');
      expect(await client.rest()).toEqual([]);
    },
  );

  it('the same endpoint that registers anew gets what it has not acknowledged again', async () => {
    client.acknowledges = false;
    await register();
    for (const oneway of [true, false]) await command({ oneway });
    expect(await notification()).toMatchObject({ observe: 1 });
    expect(await register()).toMatchObject({ observe: 2 });
    const again = await notification();
    expect(again).toMatchObject({ observe: 3, text: '{"id":0,"method":"m","params":{}}' });
    client.acknowledge(again);
    expect(await notification()).toMatchObject({ observe: 4, text: '{"id":1,"method":"m","params":{}}' });
    expect(gateway.observations).toBe(1);
  });

  it('one that expires while another is outstanding is not sent any more', async () => {
    client.acknowledges = false;
    await register();
    await command();
    const message = await notification();
    const short = await command({ timeout: 50 });
    const last = await command();
    await until(async () => Date.now() > ((await gateway.rpc(short.id))?.expirationTime ?? 0));
    client.acknowledge(message);
    expect(JSON.parse((await notification()).text).id).toBe(last.requestId);
    expect(await client.rest()).toEqual([]);
  });
});
