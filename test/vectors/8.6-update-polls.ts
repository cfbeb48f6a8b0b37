import { EMPTY, expectAnswer } from './framework/http-vector';
import type { OpenPoll, Scene } from './framework/scene';
import { BRIEF, STRICT } from './framework/settings';
import type { Vector } from './framework/vector';

const UPDATES = '/tokA/attributes/updates';
const EXPIRED = { status: 408, ...EMPTY } as const;
/** Longer than a busy machine takes, so that what is answered before is not the time-out. */
const LONG = 20_000;
/** How long a poll is open that nothing is to wake. */
const SHORT = 400;

const openPoll = (scene: Scene, timeout = LONG): Promise<OpenPoll> => scene.poll(`${UPDATES}?timeout=${timeout}`);
const nextPoll = (scene: Scene, timeout = LONG) => scene.http(`GET ${UPDATES}?timeout=${timeout}`);

/** An array of these and no others. */
const inAnyOrder = (...items: string[]) => ({
  asymmetricMatch: (found: unknown) => Array.isArray(found) && [...found].sort().join() === items.join(),
  toString: () => `${items} in any order`,
});

/** A poll of which nothing comes, and how long that took. */
async function expiry(scene: Scene, query: string): Promise<number> {
  const path = await scene.path(`${UPDATES}${query}`);
  const begun = performance.now();
  expectAnswer(await scene.http(`GET ${path}`), EXPIRED);
  return performance.now() - begun;
}

/** A poll that the server's doings wake. */
const woken = (no: string, says: string, act: (scene: Scene) => Promise<void>, json: unknown): Vector => ({
  no,
  says: `poll open; ${says}`,
  async run(scene) {
    const { answer } = await openPoll(scene);
    await act(scene);
    expectAnswer(await answer, { status: 200, json });
  },
});

/** A poll that something does not wake. */
const asleep = (no: string, says: string, act: (scene: Scene) => Promise<unknown>): Vector => ({
  no,
  says: `poll open; ${says}`,
  async run(scene) {
    const { answer } = await openPoll(scene, 1_000);
    await act(scene);
    expectAnswer(await answer, EXPIRED);
  },
});

/** Contract 8.6. */
export const UPDATE_POLLS: readonly Vector[] = [
  {
    no: '163',
    says: 'GET /tokA/attributes/updates?timeout=1000, no change',
    async run(scene) {
      const took = await expiry(scene, '?timeout=1000');
      expect(took).toBeGreaterThan(950);
      expect(took).toBeLessThan(LONG);
    },
  },
  woken('164', 'server saves SHARED shared1="new"', (scene) => scene.share('tokA', { shared1: 'new' }), {
    shared1: 'new',
  }),
  woken(
    '165',
    'server saves shared1=1 and x=true in one save',
    (scene) => scene.share('tokA', { shared1: 1, x: true }),
    { shared1: 1, x: true },
  ),
  woken(
    '166',
    'server deletes shared1 and shared2 in one call',
    (scene) => scene.unshare('tokA', ['shared1', 'shared2']),
    { deleted: inAnyOrder('shared1', 'shared2') },
  ),
  {
    no: '167',
    says: 'two separate saves during one poll',
    async run(scene) {
      const { answer } = await openPoll(scene);
      await scene.share('tokA', { a: 1 });
      await scene.share('tokA', { b: 2 });
      expectAnswer(await answer, { status: 200, json: { a: 1 } });
      expectAnswer(await nextPoll(scene), { status: 200, json: { b: 2 } });
    },
  },
  {
    no: '168',
    says: "save before the device's first poll, then GET /tokA/attributes/updates?timeout=500",
    async run(scene) {
      await scene.share('tokA', { a: 1 });
      expectAnswer(await nextPoll(scene, 500), EXPIRED);
    },
  },
  {
    no: '168',
    says: 'with gap delivery off the same after any poll',
    settings: STRICT,
    async run(scene) {
      expectAnswer(await nextPoll(scene, SHORT), EXPIRED);
      await scene.share('tokA', { a: 1 });
      expectAnswer(await nextPoll(scene, 500), EXPIRED);
    },
  },
  {
    no: '168a',
    says: 'poll ends with 408; save b=1; save c=2; two polls, and a third waits',
    async run(scene) {
      expectAnswer(await nextPoll(scene, SHORT), EXPIRED);
      await scene.share('tokA', { b: 1 });
      await scene.share('tokA', { c: 2 });
      expectAnswer(await nextPoll(scene), { status: 200, json: { b: 1 } });
      expectAnswer(await nextPoll(scene), { status: 200, json: { c: 2 } });
      const { answer } = await openPoll(scene);
      await scene.share('tokA', { d: 3 });
      expectAnswer(await answer, { status: 200, json: { d: 3 } });
    },
  },
  {
    no: '169',
    says: 'two polls open, one save',
    async run(scene) {
      const polls = [await openPoll(scene), await openPoll(scene)];
      await scene.share('tokA', { a: 1 });
      for (const { answer } of polls) expectAnswer(await answer, { status: 200, json: { a: 1 } });
    },
  },
  asleep('170', 'device posts CLIENT attribute', (scene) => scene.http('POST /tokA/attributes', '{"a":1}')),
  asleep('171', 'server saves SERVER attribute', (scene) => scene.saveServerAttributes('tokA', { a: 1 })),
  {
    no: '172',
    says: 'GET /tokA/attributes/updates?timeout=-1',
    async run(scene) {
      expect(await expiry(scene, '?timeout=-1')).toBeLessThan(LONG);
    },
  },
  {
    no: '173',
    says: 'GET /tokA/attributes/updates without timeout waits HTTP_REQUEST_TIMEOUT, here 800 ms',
    settings: BRIEF,
    async run(scene) {
      const took = await expiry(scene, '');
      expect(took).toBeGreaterThan(750);
      expect(took).toBeLessThan(LONG);
    },
  },
  {
    no: '174',
    says: 'GET /tokA/attributes/updates?timeout=999999999 is clamped to HTTP_MAX_REQUEST_TIMEOUT, here 1200 ms',
    settings: BRIEF,
    async run(scene) {
      const took = await expiry(scene, '?timeout=999999999');
      expect(took).toBeGreaterThan(1_150);
      expect(took).toBeLessThan(LONG);
    },
  },
  {
    no: '175',
    says: 'device deleted during the poll',
    async run(scene) {
      const { answer } = await openPoll(scene);
      await scene.call('DELETE', `/api/device/${(await scene.device('tokA')).id}`);
      expectAnswer(await answer, { status: 403, text: 'Device was deleted!' });
    },
  },
  {
    no: '176',
    says: 'client aborts the connection, then one save',
    async run(scene) {
      const { http } = scene.world;
      const before = await http.metric('tandem_http_open_polls');
      const { abort } = await openPoll(scene);
      abort();
      await http.openPolls(before);
      await scene.share('tokA', { a: 1 });
      // The update was not spent on the closed connection.
      expectAnswer(await nextPoll(scene), { status: 200, json: { a: 1 } });
    },
  },
];
