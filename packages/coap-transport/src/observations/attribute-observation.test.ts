import { FakeClock } from '@tandem/core/testing';
import type { RawClient, Received } from '../testing/raw-client';
import { type TestDevice, TestGateway, until } from '../testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
/** D1 of the contract, new for each test. */
let device: TestDevice;
const token = Buffer.from('a1', 'hex');
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

const path = () => `api/v1/${device.token}/attributes`;
const register = (more: object = {}) => client.ask({ path: path(), observe: 0, token, ...more });

describe('a registration', () => {
  it('TV-287: is answered with all shared attributes, flat, and none of the client', async () => {
    await client.ask({ method: 'POST', path: path(), payload: '{"attribute1":"value1"}' });
    await gateway.share(device, { shared1: '"v"', shared2: '7' });
    expect(await register()).toMatchObject({
      kind: 'ACK 2.05',
      observe: 0,
      format: 50,
      text: '{"shared1":"v","shared2":7}',
    });
  });

  it('TV-288: without shared attributes is answered with an empty object', async () => {
    expect(await register()).toMatchObject({ kind: 'ACK 2.05', observe: 0, format: 50, text: '{}' });
  });

  it('TV-305: with an unknown device token is refused without Observe', async () => {
    const answer = await client.ask({ path: 'api/v1/nope/attributes', observe: 0, token });
    expect(answer).toMatchObject({ kind: 'ACK 4.01', observe: undefined, text: '', format: undefined });
    expect(gateway.observations).toBe(0);
  });

  it.each(['claim', 'telemetry', 'provision'])('TV-306: for %s is 4.00', async (feature) => {
    const answer = await client.ask({ path: `api/v1/${device.token}/${feature}`, observe: 0, token });
    expect(answer).toMatchObject({ kind: 'ACK 4.00', observe: undefined, text: '' });
    expect(gateway.observations).toBe(0);
  });

  it('TV-296: again from the same endpoint and token carries the number on and leaves one observation', async () => {
    await register();
    await gateway.share(device, { x: '1' });
    expect(await client.notification(token)).toMatchObject({ observe: 1 });
    expect(await register()).toMatchObject({ kind: 'ACK 2.05', observe: 2, text: '{"x":1}' });
    expect(gateway.observations).toBe(1);
    await gateway.share(device, { x: '2' });
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.05', observe: 3, text: '{"x":2}' });
    expect(await client.rest()).toEqual([]);
  });

  it('with another token from the same endpoint takes over from the older one', async () => {
    await register();
    const second = Buffer.from('a2', 'hex');
    expect(await register({ token: second })).toMatchObject({ kind: 'ACK 2.05', observe: 0 });
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    await gateway.share(device, { x: '1' });
    expect(await client.notification(second)).toMatchObject({ kind: 'CON 2.05', observe: 1, text: '{"x":1}' });
    expect(await client.rest()).toEqual([]);
  });

  it('TV-297: from a second endpoint takes over; the first gets a final 2.02 and nothing more', async () => {
    await register();
    const second = await gateway.client();
    expect(await second.ask({ path: path(), observe: 0, token })).toMatchObject({ kind: 'ACK 2.05', observe: 0 });
    expect(await client.notification(token)).toMatchObject({
      kind: 'CON 2.02',
      observe: undefined,
      format: undefined,
      text: '',
    });
    expect(gateway.observations).toBe(1);
    await gateway.share(device, { x: '1' });
    expect(await second.notification(token)).toMatchObject({ observe: 1, text: '{"x":1}' });
    expect(await client.rest()).toEqual([]);
  });

  it('TV-297: a NON observer that is taken over gets a final NON 2.02', async () => {
    await register({ confirmable: false });
    const second = await gateway.client();
    await second.ask({ path: path(), observe: 0, token });
    expect(await client.notification(token)).toMatchObject({ kind: 'NON 2.02', observe: undefined, text: '' });
  });

  it('that took over is not ended by what the first endpoint still says', async () => {
    client.acknowledges = false;
    await register();
    await gateway.share(device, { x: '1' });
    const outstanding = await client.notification(token);
    const second = await gateway.client();
    expect(await second.ask({ path: path(), observe: 0, token })).toMatchObject({ observe: 0, text: '{"x":1}' });
    const final = await client.notification(token);
    expect(final).toMatchObject({ kind: 'CON 2.02' });
    client.acknowledge(outstanding);
    client.reset(outstanding);
    client.reset(final);
    await client.rest();
    expect(gateway.observations).toBe(1);
    await gateway.share(device, { x: '2' });
    expect(await second.notification(token)).toMatchObject({ observe: 1, text: '{"x":2}' });
    expect(await client.rest()).toEqual([]);
  });

  it('of one device is no business of another', async () => {
    const other = await gateway.device();
    const second = Buffer.from('a2', 'hex');
    await register();
    await client.ask({ path: `api/v1/${other.token}/attributes`, observe: 0, token: second });
    await gateway.share(other, { x: '1' });
    expect(await client.notification(second)).toMatchObject({ observe: 1, text: '{"x":1}' });
    await gateway.share(device, { y: '2' });
    expect(await client.next()).toMatchObject({ token: 'a1', text: '{"y":2}' });
    await gateway.remove(other);
  });
});

describe('a notification', () => {
  it('TV-289, TV-290: holds what changed and nothing else', async () => {
    await gateway.share(device, { before: '1' });
    await register();
    await gateway.share(device, { x: '1' });
    const first = await client.notification(token);
    expect(first).toMatchObject({ kind: 'CON 2.05', token: 'a1', observe: 1, format: 50, text: '{"x":1}' });
    await gateway.unshare(device, 'x');
    expect(await client.notification(token)).toMatchObject({
      kind: 'CON 2.05',
      observe: 2,
      format: 50,
      text: '{"deleted":["x"]}',
    });
  });

  it('TV-291: to a NON registration is NON', async () => {
    expect(await register({ confirmable: false })).toMatchObject({ kind: 'NON 2.05', observe: 0, text: '{}' });
    await gateway.share(device, { x: '1' });
    expect(await client.notification(token)).toMatchObject({ kind: 'NON 2.05', observe: 1, text: '{"x":1}' });
    await gateway.share(device, { x: '2' });
    expect(await client.notification(token)).toMatchObject({ kind: 'NON 2.05', observe: 2, text: '{"x":2}' });
  });

  it('is not caused by client or server attributes', async () => {
    await register();
    await client.ask({ method: 'POST', path: path(), payload: '{"mine":1}' });
    await gateway.core.attributes.saveFromServer(device.id, 'SERVER', []);
    await gateway.share(device, { x: '1' });
    expect(await client.notification(token)).toMatchObject({ observe: 1, text: '{"x":1}' });
  });

  it('of more than a block is cut and can be read on', async () => {
    await register();
    await gateway.share(device, { x: JSON.stringify('y'.repeat(1500)) });
    expect((await client.notification(token)).text).toHaveLength(1024);
  });

  /** Each step is one change by the server while the first notification waits for its acknowledgement. */
  it.each<[what: string, before: Record<string, string>, steps: (() => Promise<void>)[], merged: unknown]>([
    [
      'the newest value of each key',
      {},
      [
        () => gateway.share(device, { a: '1', b: '1' }),
        () => gateway.share(device, { a: '2' }),
        () => gateway.share(device, { c: '3' }),
      ],
      { a: 2, b: 1, c: 3 },
    ],
    [
      'a key that was deleted and made again as a value',
      { a: '1' },
      [() => gateway.unshare(device, 'a'), () => gateway.share(device, { a: '2' })],
      { a: 2 },
    ],
    [
      'a key that was made and deleted as deleted',
      {},
      [() => gateway.share(device, { a: '1' }), () => gateway.unshare(device, 'a')],
      { deleted: ['a'] },
    ],
    [
      'values and deletions side by side',
      { gone: '1' },
      [() => gateway.unshare(device, 'gone'), () => gateway.share(device, { a: '1' })],
      { a: 1, deleted: ['gone'] },
    ],
    [
      'the value it had in the beginning',
      { a: '1' },
      [() => gateway.share(device, { a: '2' }), () => gateway.share(device, { a: '1' })],
      { a: 1 },
    ],
  ])('merges what changes until the one before is acknowledged: %s', async (_what, before, steps, merged) => {
    if (Object.keys(before).length > 0) await gateway.share(device, before);
    client.acknowledges = false;
    await register();
    await gateway.share(device, { first: '0' });
    const outstanding = await client.notification(token);
    for (const step of steps) await step();
    expect(await client.rest()).toEqual([]);
    client.acknowledge(outstanding);
    const next = await client.notification(token);
    expect(next).toMatchObject({ kind: 'CON 2.05', observe: 2 });
    expect(JSON.parse(next.text)).toEqual(merged);
    client.acknowledge(next);
    expect(await client.rest()).toEqual([]);
  });

  it('tells of an attribute that is named like the list of deleted ones apart from that list', async () => {
    await gateway.share(device, { gone: '1' });
    client.acknowledges = false;
    await register();
    await gateway.share(device, { first: '0' });
    const outstanding = await client.notification(token);
    await gateway.share(device, { deleted: '5' });
    await gateway.unshare(device, 'gone');
    client.acknowledges = true;
    client.acknowledge(outstanding);
    expect(await client.notification(token)).toMatchObject({ observe: 2, text: '{"deleted":5}' });
    expect(await client.notification(token)).toMatchObject({ observe: 3, text: '{"deleted":["gone"]}' });
  });

  it('loses nothing of 300 changes that come faster than the acknowledgements, also when the log is shorter', async () => {
    client.acknowledges = false;
    await register();
    await gateway.share(device, { first: '0' });
    const outstanding = await client.notification(token);
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => gateway.share(device, { [`k${i}`]: String(i), last: String(i) })),
    );
    client.acknowledges = true;
    client.acknowledge(outstanding);
    const seen: Record<string, unknown> = {};
    while (Object.keys(seen).length < 301) Object.assign(seen, await whole(await client.notification(token)));
    expect(seen.k0).toBe(0);
    expect(seen.k299).toBe(299);
    expect(seen.last).toBe(299);
  });

  it('follows from the snapshot without a hole when the change comes during the registration', async () => {
    for (let round = 0; round < 50; round++) {
      const one = await gateway.device();
      const mark = Buffer.from(`b${String(round).padStart(3, '0')}`);
      const saved = gateway.share(one, { x: String(round) });
      const first = await client.ask({ path: `api/v1/${one.token}/attributes`, observe: 0, token: mark });
      await saved;
      if (first.text === '{}') expect((await client.notification(mark)).text).toBe(`{"x":${round}}`);
      else expect(first.text).toBe(`{"x":${round}}`);
      await gateway.remove(one);
      expect(await client.notification(mark)).toMatchObject({ kind: 'CON 2.02' });
    }
  });

  /** The body of a notification, whose later blocks are asked for. */
  async function whole(first: Received): Promise<Record<string, unknown>> {
    let text = first.text;
    for (let number = 1; first.block2 !== undefined && text.length % 1024 === 0; number++) {
      const more = await client.ask({ path: path(), block2: (number << 4) | 6 });
      text += more.text;
      if (more.block2 === undefined || (more.block2 & 8) === 0) break;
    }
    return JSON.parse(text) as Record<string, unknown>;
  }
});

describe('an observation ends', () => {
  const gone = async () => {
    await until(() => gateway.observations === 0);
    await gateway.share(device, { after: '1' });
    expect(await client.rest()).toEqual([]);
  };

  it('TV-298: by Observe 1 with its token, answered 2.02 without Observe', async () => {
    await register();
    const answer = await client.ask({ path: path(), observe: 1, token });
    expect(answer).toMatchObject({ kind: 'ACK 2.02', observe: undefined, text: '', format: undefined });
    await gone();
  });

  it.each([
    ['in other letters', (token: string) => ['api', 'v1', token, 'ATTRIBUTES'], []],
    ['as one option', (token: string) => [`api/v1/${token}/attributes`], []],
    ['with a query', (token: string) => ['api', 'v1', token, 'attributes'], ['clientKeys=a']],
  ])('by Observe 1 with its token and its resource written %s', async (_name, written, query) => {
    await register();
    const answer = await client.ask({ path: written(device.token), query, observe: 1, token });
    expect(answer).toMatchObject({ kind: 'ACK 2.02', observe: undefined, text: '' });
    await gone();
  });

  it('but not by Observe 1 with its token for another resource', async () => {
    await register();
    expect(await client.ask({ path: 'api/v1/nope/attributes', observe: 1, token })).toMatchObject({ kind: 'ACK 4.01' });
    expect(gateway.observations).toBe(1);
  });

  it('TV-300: by a Reset to a notification', async () => {
    client.acknowledges = false;
    await register();
    await gateway.share(device, { x: '1' });
    client.reset(await client.notification(token));
    await gone();
  });

  it('TV-300: by a Reset to a NON notification', async () => {
    await register({ confirmable: false });
    await gateway.share(device, { x: '1' });
    client.reset(await client.notification(token));
    await gone();
  });

  it('TV-302: with its device, by a final 2.02', async () => {
    await register();
    await gateway.remove(device);
    expect(await client.notification(token)).toMatchObject({
      kind: 'CON 2.02',
      observe: undefined,
      format: undefined,
      text: '',
    });
    expect(gateway.observations).toBe(0);
    expect(await client.ask({ path: path() })).toMatchObject({ kind: 'ACK 4.01' });
    expect(await register()).toMatchObject({ kind: 'ACK 4.01', observe: undefined });
  });

  it('with its device, also while a notification is outstanding', async () => {
    client.acknowledges = false;
    await register();
    await gateway.share(device, { x: '1' });
    await client.notification(token);
    await gateway.remove(device);
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined });
  });

  it('with its credentials, by a final 2.02; the old token is refused at once and the new one served', async () => {
    await register();
    await gateway.changeToken(device, `new-${device.token}`);
    expect(await client.ask({ path: path(), observe: 0 })).toMatchObject({ kind: 'ACK 4.01', observe: undefined });
    expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.02', observe: undefined, text: '' });
    expect(gateway.observations).toBe(0);
    device = { ...device, token: `new-${device.token}` };
    expect(await register()).toMatchObject({ kind: 'ACK 2.05', observe: 0 });
  });
});

describe('an observer that never acknowledges', () => {
  it('TV-301: gets 5 transmissions, then all its observations are gone', async () => {
    const clock = new FakeClock(Date.now());
    const own = await TestGateway.start({ clock });
    try {
      const silent = await own.client();
      silent.acknowledges = false;
      const { token: name, id } = await own.device();
      await silent.ask({ path: `api/v1/${name}/attributes`, observe: 0, token });
      await silent.ask({ path: `api/v1/${name}/rpc`, observe: 0, token: Buffer.from('b1', 'hex') });
      expect(own.observations).toBe(2);
      await own.share({ token: name, id }, { x: '1' });
      const sent = [await silent.notification(token)];
      while (own.observations > 0) {
        clock.advance(100);
        sent.push(...(await silent.rest()));
      }
      expect(sent).toHaveLength(5);
      expect(new Set(sent.map((message) => JSON.stringify(message))).size).toBe(1);
      const lasted = clock.monotonic();
      expect(lasted).toBeGreaterThan(61_900);
      expect(lasted).toBeLessThan(94_000);
      expect(own.sessionEndListeners).toBe(0);
      expect(own.gauge('tandem_devices_watched')).toBe(0);
    } finally {
      await own.stop();
    }
  });
});
