import { download, upload } from './blockwise-client';
import { BAD_LINK, LossyWorld } from './lossy-world';

const DEVICES = 4;
/** Bytes of a value: the body is 20 blocks long. */
const LENGTH = 20_000;
/** With three of ten a client would give up every other body of 20 blocks once. */
const LINK = { ...BAD_LINK, loss: 0.2 };

let world: LossyWorld;
beforeAll(async () => {
  world = await LossyWorld.start();
});
afterAll(() => world.stop());

/** Of any two positions in it one can tell which is which. */
const text = (length: number) =>
  Array.from({ length }, (_, i) => `${i} `)
    .join('')
    .slice(0, length);

describe('A body of 20 kB over a link that loses two of ten datagrams each way, doubles some and reorders them', () => {
  it('arrives whole at the server, and comes back whole', async () => {
    const devices = await world.devices(DEVICES, 5_000, LINK);
    const values = devices.map(({ base }) => `${base} ${text(LENGTH)}`);
    await Promise.all(
      devices.map(async ({ peer, base }, i) => {
        const body = Buffer.from(JSON.stringify({ big: values[i] }));
        expect(await upload(peer, `${base}/attributes`, body)).toBe('2.01');
        expect((await download(peer, `${base}/attributes`)).toString()).toBe(`{"client":${body}}`);
      }),
    );
    for (const [i, { id }] of devices.entries()) {
      expect(await world.server.attributes(id, 'CLIENT_SCOPE')).toEqual({ big: values[i] });
    }
  }, 60_000);
});
