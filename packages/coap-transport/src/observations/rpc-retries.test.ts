import { FakeClock } from '@tandem/core/testing';
import type { RawClient } from '../testing/raw-client';
import { type SentCommand, type TestDevice, TestGateway, until } from '../testing/test-gateway';

const DAY = 86_400_000;
/** When the last repetition of a message has gone unacknowledged at the latest (RFC 7252 section 4.8.2). */
const GIVEN_UP = 93_000;
const token = Buffer.from('c1', 'hex');
const clock = new FakeClock(Date.now());
let gateway: TestGateway;
let device: TestDevice;
/** Of a device whose acknowledgements never arrive. */
let client: RawClient;

beforeAll(async () => {
  gateway = await TestGateway.start({ clock });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  device = await gateway.device();
  client = await deafClient();
});
afterEach(async () => {
  await gateway.remove(device);
  await until(() => gateway.observations === 0);
});

async function deafClient(): Promise<RawClient> {
  const deaf = await gateway.client();
  deaf.acknowledges = false;
  return deaf;
}

const register = () => client.ask({ path: `api/v1/${device.token}/rpc`, observe: 0, token });
const command = (retries: number) => gateway.command(device, { persistent: true, retries, timeout: DAY });

/** The messages with a command that have come since the last time, without repetitions. */
async function messages(): Promise<number> {
  const commands = (await client.rest()).filter(({ kind }) => kind === 'CON 2.05');
  return new Set(commands.map(({ messageId }) => messageId)).size;
}

async function giveUp(): Promise<void> {
  clock.advance(GIVEN_UP);
  await until(() => gateway.observations === 0);
}

async function expectFailed(sent: SentCommand, retries: number): Promise<void> {
  await gateway.becomes(sent, 'FAILED');
  expect(JSON.parse((await gateway.rpc(sent.id))?.response ?? '')).toEqual({
    error: `There was a Timeout and all retry attempts have been exhausted. Retry attempts set: ${retries}`,
  });
  await register();
  expect(await messages()).toBe(0);
}

describe('A persistent command to a device that observes and never acknowledges', () => {
  it.each([0, 1, 2])(
    'with retries %i is tried so often again, at each registration after a loss, and FAILED',
    async (retries) => {
      const sent = await command(retries);
      for (let attempt = 0; attempt <= retries; attempt++) {
        await register();
        await gateway.becomes(sent, 'SENT');
        expect(await messages()).toBe(1);
        if (attempt < retries) {
          clock.advance(10_000);
          await gateway.becomes(sent, 'TIMEOUT');
        }
        await giveUp();
        if (attempt < retries) expect(await gateway.rpc(sent.id)).toMatchObject({ status: 'TIMEOUT' });
        await messages();
      }
      await expectFailed(sent, retries);
    },
  );

  it.each([
    ['from the same port', async () => client],
    ['from another port', deafClient],
  ])('is FAILED as well when it registers %s before its messages are given up', async (_where, next) => {
    const sent = await command(2);
    for (let attempt = 0; attempt <= 2; attempt++) {
      await register();
      expect((await client.notification(token)).kind).toBe('CON 2.05');
      await gateway.becomes(sent, 'SENT');
      expect(await gateway.rpc(sent.id)).toMatchObject({ attempts: attempt });
      clock.advance(1_000);
      await messages();
      client = await next();
    }
    await register();
    await expectFailed(sent, 2);
  });

  it('rests in TIMEOUT while the device is gone and tries are left, and counts a message once', async () => {
    const sent = await command(1);
    await register();
    await gateway.becomes(sent, 'SENT');
    clock.advance(10_000);
    await gateway.becomes(sent, 'TIMEOUT');
    await giveUp();
    clock.advance(DAY / 2);
    expect(await gateway.rpc(sent.id)).toMatchObject({ status: 'TIMEOUT', attempts: 1 });
    client.acknowledges = true;
    await register();
    await gateway.becomes(sent, 'DELIVERED');
  });
});
