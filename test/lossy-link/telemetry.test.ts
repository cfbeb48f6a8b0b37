import { type LossyDevice, LossyWorld } from './lossy-world';

const DEVICES = 25;
/** Of all devices: one that has to wait long sends fewer. */
const MESSAGES = 400;

let world: LossyWorld;
beforeAll(async () => {
  world = await LossyWorld.start();
});
afterAll(() => world.stop());

/** Each message has a key of its own and no time: executed twice, it leaves two points. */
const keyOf = (message: number) => `m${message}`;

/** The messages of one device by number: whether it counts them as acknowledged. */
type Sent = ReadonlyMap<number, boolean>;

/**
 * Sends messages one after the other while there are any.
 * @param between what happens after each exchange
 */
async function send(device: LossyDevice, next: () => number, between: () => Promise<void>): Promise<Sent> {
  const sent = new Map<number, boolean>();
  for (let message = next(); message < MESSAGES; message = next()) {
    const payload = `{"${keyOf(message)}":${message}}`;
    const response = await device.peer.request({ method: 'POST', path: `${device.base}/telemetry`, payload });
    sent.set(message, response?.code === '2.01');
    await between();
  }
  return sent;
}

/** What is not as it should be about the messages of one device. */
async function wrongOf({ id }: LossyDevice, sent: Sent): Promise<string[]> {
  const histories = await world.server.histories(id, [...sent.keys()].map(keyOf));
  const wrong: string[] = [];
  for (const [message, acknowledged] of sent) {
    const times = histories[keyOf(message)]?.length ?? 0;
    if (acknowledged ? times !== 1 : times > 1) wrong.push(`${message}: acknowledged ${acknowledged}, ${times} times`);
  }
  return wrong;
}

async function run(seed: number, between: (device: LossyDevice) => Promise<void>): Promise<void> {
  const { gateway } = world;
  const requests = () => gateway.metric('tandem_coap_received_requests_total');
  const duplicates = () => gateway.metric('tandem_coap_duplicate_requests_total');
  const before = { requests: await requests(), duplicates: await duplicates() };
  const devices = await world.devices(DEVICES, seed);
  let message = 0;
  const sent = await Promise.all(
    devices.map(async (device) => ({
      device,
      sent: await send(
        device,
        () => message++,
        () => between(device),
      ),
    })),
  );
  await gateway.settled('tandem_telemetry_backlog', 0);
  const wrong = await Promise.all(sent.map((one) => wrongOf(one.device, one.sent)));
  expect(wrong.flat()).toEqual([]);
  // The link was bad, and still most of it got through.
  const known = sent.flatMap((one) => [...one.sent.values()]).filter(Boolean);
  expect(known.length).toBeGreaterThan(0.9 * MESSAGES);
  expect((await duplicates()) - before.duplicates).toBeGreaterThan(0.3 * MESSAGES);
  // Two executions within a millisecond would leave one point: none was executed twice.
  expect((await requests()) - before.requests).toBeLessThanOrEqual(MESSAGES);
}

describe('Telemetry over a link that loses three of ten datagrams each way, doubles some and reorders them', () => {
  it('is stored exactly once where the device was told so, and at most once where it gave up', async () => {
    await run(1_000, async () => {});
  }, 60_000);

  // A port that changes within an exchange makes the repetition a request of another endpoint, which is executed
  // again: message ids count per endpoint, address and port (RFC 7252 sections 4.2 and 4.5).
  it('is so as well when the port of the device changes after each exchange', async () => {
    await run(2_000, ({ link }) => link.changePort());
  }, 60_000);
});
