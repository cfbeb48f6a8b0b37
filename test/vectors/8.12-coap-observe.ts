import type { RawClient } from '../../packages/coap-transport/src/testing/raw-client';
import { bare, coap, expectResponse } from './framework/coap-vector';
import type { TokenName } from './framework/fixtures';
import { Observer, observationsEnd, observationsOf } from './framework/observer';
import type { Scene } from './framework/scene';
import { IMPATIENT } from './framework/settings';
import type { Vector } from './framework/vector';

const JSON_FORMAT = 50;
const FINAL = bare('CON 2.02');

const notified = (observe: number, text: string) => ({ kind: 'CON 2.05', observe, format: JSON_FORMAT, text }) as const;

/**
 * A change after an observation has ended reaches nobody. The device has one observation of attributes at most: if the old
 * one were there still, the one that is made here would end it by a 2.02.
 */
async function expectSilence(scene: Scene, name: TokenName, ended: RawClient): Promise<void> {
  await scene.share(name, { later: 1 });
  const witness = await Observer.of(scene, name, 'attributes', { client: await scene.newCoap() });
  expect(JSON.parse((await witness.register()).text)).toMatchObject({ later: 1 });
  await scene.share(name, { last: 1 });
  expectResponse(await witness.next(), notified(1, '{"last":1}'));
  expect(await ended.rest()).toEqual([]);
}

/** Contract 8.12. Where its rows begin with "then", what comes before is done again. */
export const COAP_OBSERVE: readonly Vector[] = [
  {
    no: '287',
    says: 'CON GET /api/v1/tokA/attributes Observe 0',
    async run(scene) {
      expectResponse(await (await Observer.of(scene, 'tokA')).register(), {
        kind: 'ACK 2.05',
        observe: 0,
        format: JSON_FORMAT,
        json: { shared1: 'v', shared2: 7 },
      });
    },
  },
  {
    no: '288',
    says: 'CON GET /api/v1/tok1/attributes Observe 0 (none)',
    async run(scene) {
      const first = await (await Observer.of(scene, 'tok1')).register();
      expectResponse(first, { kind: 'ACK 2.05', observe: 0, format: JSON_FORMAT, text: '{}' });
    },
  },
  {
    no: '289',
    says: 'then SHARED x=1 saved',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      await scene.share('tok1', { x: 1 });
      expectResponse(await observer.next(), notified(1, '{"x":1}'));
    },
  },
  {
    no: '290',
    says: 'then x deleted',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      await scene.share('tok1', { x: 1 });
      await observer.next();
      await scene.unshare('tok1', ['x']);
      expectResponse(await observer.next(), notified(2, '{"deleted":["x"]}'));
    },
  },
  {
    no: '291',
    says: 'NON registration, then change',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1', 'attributes', { confirmable: false });
      expectResponse(await observer.register(), { kind: 'NON 2.05', observe: 0, text: '{}' });
      await scene.share('tok1', { x: 1 });
      expectResponse(await observer.next(), { ...notified(1, '{"x":1}'), kind: 'NON 2.05' });
    },
  },
  {
    no: '292',
    says: 'CON GET /api/v1/tok1/rpc Observe 0',
    async run(scene) {
      const first = await (await Observer.of(scene, 'tok1', 'rpc')).register();
      expectResponse(first, { ...bare('ACK 2.03'), observe: 0 });
    },
  },
  {
    no: '293',
    says: 'then server RPC setGpio',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1', 'rpc');
      await observer.register();
      await setGpio(scene);
      expectResponse(await observer.next(), notified(1, SET_GPIO));
    },
  },
  {
    no: '294',
    says: 'RPC created before the registration, not expired',
    async run(scene) {
      await setGpio(scene);
      const observer = await Observer.of(scene, 'tok1', 'rpc');
      expectResponse(await observer.register(), { kind: 'ACK 2.03', observe: 0 });
      expectResponse(await observer.next(), notified(1, SET_GPIO));
    },
  },
  {
    no: '295',
    says: 'reply POST /api/v1/tok1/rpc/0 {"result":"ok"}',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1', 'rpc');
      await observer.register();
      const told = scene.command('twoway', 'tok1', { method: 'setGpio', params: PARAMS });
      expectResponse(await observer.next(), notified(1, SET_GPIO));
      expectResponse(await scene.ask('POST /api/v1/tok1/rpc/0', '{"result":"ok"}'), bare('ACK 2.01'));
      expect(await told).toEqual({ status: 200, text: '{"result":"ok"}' });
    },
  },
  {
    no: '296',
    says: 'same endpoint and token registers attributes again',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      await scene.share('tok1', { x: 1 });
      expectResponse(await observer.next(), notified(1, '{"x":1}'));
      expectResponse(await observer.register(), { kind: 'ACK 2.05', observe: 2, text: '{"x":1}' });
      expect(await observationsOf(scene, 'tok1')).toBe(1);
      await scene.share('tok1', { x: 2 });
      expectResponse(await observer.next(), notified(3, '{"x":2}'));
      expect(await observer.client.rest()).toEqual([]);
    },
  },
  {
    no: '297',
    says: 'second endpoint registers attributes of the same device',
    async run(scene) {
      const first = await Observer.of(scene, 'tok1');
      await first.register();
      const second = await Observer.of(scene, 'tok1', 'attributes', { client: await scene.newCoap() });
      expectResponse(await second.register(), { kind: 'ACK 2.05', observe: 0 });
      expectResponse(await first.next(), FINAL);
      await scene.share('tok1', { x: 1 });
      expectResponse(await second.next(), notified(1, '{"x":1}'));
      expect(await first.client.rest()).toEqual([]);
    },
  },
  {
    no: '298',
    says: "GET Observe 1 with the registration's token",
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      expect(await observationsOf(scene, 'tok1')).toBe(1);
      expectResponse(await observer.deregister(), bare('ACK 2.02'));
      expect(await observationsOf(scene, 'tok1')).toBe(0);
      await expectSilence(scene, 'tok1', observer.client);
    },
  },
  {
    no: '299',
    says: 'GET attributes Observe 1 with a token never registered',
    async run(scene) {
      const stranger = await Observer.of(scene, 'tokA');
      const answer = await stranger.deregister();
      expectResponse(answer, { kind: 'ACK 2.05', observe: undefined, format: JSON_FORMAT });
      expect(answer.text).toBe((await scene.ask('GET /api/v1/tokA/attributes')).text);
    },
  },
  {
    no: '300',
    says: 'RST in answer to a notification',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      observer.client.acknowledges = false;
      await scene.share('tok1', { x: 1 });
      observer.client.reset(await observer.next());
      await observationsEnd(scene, 'tok1');
      await expectSilence(scene, 'tok1', observer.client);
    },
  },
  {
    no: '301',
    says: 'notification never ACKed',
    settings: IMPATIENT,
    async run(scene) {
      // On a machine that stands still, a repetition that would be too late is left out (RFC 7252 section 4.2).
      for (let attempt = 1; (await transmissions(scene.fresh(`attempt${attempt}`))) < 5; attempt++) {
        expect(attempt).toBeLessThan(3);
      }
    },
  },
  {
    no: '302',
    says: 'device deleted',
    async run(scene) {
      const observer = await Observer.of(scene, 'tok1');
      await observer.register();
      await scene.call('DELETE', `/api/device/${(await scene.device('tok1')).id}`);
      expectResponse(await observer.next(), FINAL);
    },
  },
  {
    no: '303',
    says: 'attributes and rpc observed at once',
    async run(scene) {
      const attributes = await Observer.of(scene, 'tok1');
      const commands = await Observer.of(scene, 'tok1', 'rpc');
      await attributes.register();
      await commands.register();
      expect(await observationsOf(scene, 'tok1')).toBe(2);
      await scene.share('tok1', { x: 1 });
      await setGpio(scene);
      expectResponse(await attributes.next(), notified(1, '{"x":1}'));
      expectResponse(await commands.next(), notified(1, SET_GPIO));
      expectResponse(await commands.deregister(), bare('ACK 2.02'));
      await scene.share('tok1', { x: 2 });
      expectResponse(await attributes.next(), notified(2, '{"x":2}'));
      expect(await attributes.client.rest()).toEqual([]);
    },
  },
  {
    no: '304',
    says: 'RPC CON notification not ACKed in min(COAP_TIMEOUT, remaining life)',
    settings: IMPATIENT,
    async run(scene) {
      const patient = toldTimeout(scene, 8_000);
      const short = toldTimeout(scene.fresh('short'), 300);
      expect(await short).toBeLessThan(await patient);
      expect(await short).toBeGreaterThanOrEqual(290);
      expect(await patient).toBeGreaterThanOrEqual(1_490);
      expect(await patient).toBeLessThan(8_000);
    },
  },
  coap(
    '305',
    'GET /api/v1/nope/attributes',
    { says: 'GET /api/v1/nope/attributes Observe 0', observe: 0 },
    bare('ACK 4.01'),
  ),
  coap('306', 'GET /api/v1/tok1/claim', { says: 'GET /api/v1/tok1/claim Observe 0', observe: 0 }, bare('ACK 4.00')),
];

const PARAMS = { pin: '23', value: 1 };
const SET_GPIO = '{"id":0,"method":"setGpio","params":{"pin":"23","value":1}}';

const setGpio = async (scene: Scene): Promise<string> =>
  scene.server.persistentCommand((await scene.device('tok1')).id, 'setGpio', PARAMS);

/** How often a notification is sent that nobody acknowledges; then all observations of that endpoint are gone. */
async function transmissions(scene: Scene): Promise<number> {
  const client = await scene.coap();
  const attributes = await Observer.of(scene, 'tok1');
  const other = scene.fresh('other');
  const observers = [
    attributes,
    await Observer.of(scene, 'tok1', 'rpc'),
    await Observer.of(other, 'tok1', 'attributes', { client }),
  ];
  for (const observer of observers) await observer.register();
  expect([await observationsOf(scene, 'tok1'), await observationsOf(other, 'tok1')]).toEqual([2, 1]);
  client.acknowledges = false;

  await scene.share('tok1', { x: 1 });
  const first = await attributes.next();
  expectResponse(first, notified(1, '{"x":1}'));
  await observationsEnd(scene, 'tok1');
  await observationsEnd(other, 'tok1');
  const repetitions = await client.rest();
  for (const repetition of repetitions) expect(repetition).toEqual(first);
  await expectSilence(scene, 'tok1', client);
  return 1 + repetitions.length;
}

/** Milliseconds until the sender of a command is told that it timed out, whose observer is silent. @param timeout of the command */
async function toldTimeout(scene: Scene, timeout: number): Promise<number> {
  const observer = await Observer.of(scene, 'tok1', 'rpc');
  await observer.register();
  observer.client.acknowledges = false;
  const began = performance.now();
  const told = scene.command('twoway', 'tok1', { method: 'setGpio', params: PARAMS, timeout });
  expectResponse(await observer.next(), notified(1, SET_GPIO));
  expect(await told).toMatchObject({ status: 504 });
  return performance.now() - began;
}
