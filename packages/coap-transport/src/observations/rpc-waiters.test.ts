import type { PollOutcome } from '@tandem/core';
import type { RawClient } from '../testing/raw-client';
import { type TestDevice, TestGateway, until } from '../testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
let device: TestDevice;
const token = Buffer.from('c1', 'hex');
beforeAll(async () => {
  gateway = await TestGateway.start();
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

const path = () => `api/v1/${device.token}/rpc`;
const register = () => client.ask({ path: path(), observe: 0, token });
const notification = () => client.notification(token);

describe('an observation and an HTTP poll of one device', () => {
  const poll = async (): Promise<PollOutcome> => {
    const session = await gateway.session(device);
    return new Promise((resolve) => {
      gateway.core.rpcDelivery.openPoll(session, 5_000, resolve);
    });
  };

  it.each([false, true])('both get a new command (one-way: %s)', async (oneway) => {
    await register();
    const polled = poll();
    // Its listener and the observation's.
    await until(() => gateway.sessionEndListeners === 2);
    const sent = await gateway.command(device, { oneway });
    expect(await notification()).toMatchObject({ text: '{"id":0,"method":"m","params":{}}' });
    const outcome = await polled;
    if (outcome.kind !== 'event') throw new Error(`the poll ended with ${outcome.kind}`);
    expect(outcome.event.message.payload).toBe('{"id":0,"method":"m","params":{}}');
    outcome.event.settled(true);
    await gateway.becomes(sent, 'DELIVERED');
    expect(await client.rest()).toEqual([]);
  });

  it('a one-way command that the poll has got is not taken back by the observation', async () => {
    client.acknowledges = false;
    await register();
    const polled = poll();
    await until(() => gateway.sessionEndListeners === 2);
    const sent = await gateway.command(device, { oneway: true });
    const message = await notification();
    const outcome = await polled;
    if (outcome.kind === 'event') outcome.event.settled(true);
    await gateway.becomes(sent, 'DELIVERED');
    client.reset(message);
    await until(() => gateway.observations === 0);
    await register();
    expect(await client.rest()).toEqual([]);
    expect((await gateway.rpc(sent.id))?.status).toBe('DELIVERED');
  });
});

describe('the end of the session', () => {
  it('TV-302: is a final 2.02 when the device is deleted', async () => {
    await register();
    await gateway.remove(device);
    expect(await notification()).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    expect(gateway.observations).toBe(0);
    expect(await register()).toMatchObject({ kind: 'ACK 4.01', observe: undefined });
  });

  it('is a final 2.02 when the credentials change; what was not acknowledged waits for the new ones', async () => {
    client.acknowledges = false;
    await register();
    const sent = await gateway.command(device, { oneway: true });
    await notification();
    await gateway.becomes(sent, 'SENT');
    await gateway.changeToken(device, `new-${device.token}`);
    expect(await client.ask({ path: path(), observe: 0, token: client.newToken() })).toMatchObject({
      kind: 'ACK 4.01',
    });
    const final = await notification();
    expect(final).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    client.acknowledge(final);
    await gateway.becomes(sent, 'QUEUED');
    device = { ...device, token: `new-${device.token}` };
    await register();
    expect(await notification()).toMatchObject({ observe: 1, text: '{"id":0,"method":"m","params":{}}' });
  });
});
