import type { PollOutcome } from '@tandem/core';
import type { RawClient } from '../testing/raw-client';
import { type Command, type TestDevice, TestGateway, until } from '../testing/test-gateway';

const token = Buffer.from('c1', 'hex');
let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;

/** A gateway with this strategy for the tests of the surrounding `describe`. */
function useStrategy(strategy: string, more: Readonly<Record<string, string>> = {}): void {
  beforeAll(async () => {
    gateway = await TestGateway.start({
      settings: { ACTORS_RPC_SUBMIT_STRATEGY_TYPE: strategy, COAP_TIMEOUT: '400', ...more },
    });
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    device = await gateway.device();
    client = await gateway.client();
  });
  afterEach(async () => {
    await gateway.remove(device);
    await until(() => gateway.observations === 0);
  });
}

const path = () => `api/v1/${device.token}/rpc`;
const register = (more: object = {}) => client.ask({ path: path(), observe: 0, token, ...more });
const command = (given: Command = {}) => gateway.command(device, given);
const nextId = async () => JSON.parse((await client.notification(token)).text).id as number;
const answer = (requestId: number) => client.ask({ method: 'POST', path: `${path()}/${requestId}`, payload: '{}' });

/** As the door of HTTP opens it. */
async function poll(): Promise<PollOutcome> {
  const session = await gateway.session(device);
  return new Promise((resolve) => gateway.core.rpcDelivery.openPoll(session, 10_000, resolve));
}

describe('With SEQUENTIAL_ON_ACK_FROM_DEVICE', () => {
  useStrategy('SEQUENTIAL_ON_ACK_FROM_DEVICE');

  it.each([true, false])('an observer gets one after the other, in order (confirmable: %s)', async (confirmable) => {
    for (let n = 0; n < 4; n++) await command({ oneway: n % 2 === 1 });
    await register({ confirmable });
    for (let n = 0; n < 4; n++) expect(await nextId()).toBe(n);
    expect(await client.rest()).toEqual([]);
  });

  it('a poll waits for the acknowledgement of what an observer has; the next one is for both that waited for it', async () => {
    client.acknowledges = false;
    await register();
    const first = await command({ oneway: true });
    const outstanding = await client.notification(token);
    await gateway.becomes(first, 'SENT');
    let polled: PollOutcome | undefined;
    const polling = poll().then((outcome) => {
      polled = outcome;
    });
    await client.rest();
    await command({ oneway: true });
    expect(await client.rest()).toEqual([]);
    expect(polled).toBeUndefined();
    client.acknowledge(outstanding);
    const next = client.notification(token);
    await polling;
    expect(polled).toMatchObject({ kind: 'event', event: { message: { payload: (await next).text } } });
  });
});

describe('With SEQUENTIAL_ON_RESPONSE_FROM_DEVICE', () => {
  useStrategy('SEQUENTIAL_ON_RESPONSE_FROM_DEVICE', { ACTORS_RPC_RESPONSE_TIMEOUT_MS: '300' });

  it('an observer gets the next one when it has answered the one before', async () => {
    const [first, second] = [await command(), await command()];
    await register();
    expect(await nextId()).toBe(0);
    await gateway.becomes(first, 'DELIVERED');
    expect((await gateway.rpc(second.id))?.status).toBe('QUEUED');
    await answer(0);
    expect(await nextId()).toBe(1);
    expect(await first.outcome).toMatchObject({ kind: 'answered' });
  });

  it.each([true, false])('or when it has not, in time (persistent: %s)', async (persistent) => {
    const first = await command({ persistent });
    await command({ oneway: true });
    await register();
    expect([await nextId(), await nextId()]).toEqual([0, 1]);
    await gateway.becomes(first, persistent ? 'FAILED' : 'TIMEOUT');
    if (!persistent) expect(await first.outcome).toEqual({ kind: 'timeout' });
  });
});

describe('A persistent command that is too long for the memory for long answers', () => {
  useStrategy('BURST', { TANDEM_COAP_BLOCKWISE_BYTES: '65536', ACTORS_RPC_MAX_RETRIES: '2' });

  it('FAILED when its retries are used up, and does not hold up the others', async () => {
    const long = await command({ persistent: true, params: JSON.stringify('x'.repeat(100_000)) });
    await command();
    await register();
    expect(await nextId()).toBe(1);
    await gateway.becomes(long, 'FAILED');
    expect(await gateway.rpc(long.id)).toMatchObject({ attempts: 2, response: expect.stringContaining('set: 2') });
  });
});
