import { Pki } from '../../security/pki';
import { cleanUp, type Environment } from '../../support/gateway-process';
import { ServerClient } from '../../support/server-client';
import { Scene, type World } from './scene';
import { ServerLogic } from './server-logic';
import { UNHURRIED } from './settings';
import type { Door, Gateway, Store } from './stores';
import { nameOf, type Vector } from './vector';

/** A test for each vector, in the order of their numbers within the same settings. */
export function describeVectors(store: Store, { vectors, apart }: { vectors: readonly Vector[]; apart: Door }): void {
  describe(`On ${store.name}`, () => {
    let logic: ServerLogic;
    let pki: Pki;

    beforeAll(async () => {
      pki = new Pki();
      [logic] = await Promise.all([ServerLogic.start(), store.open()]);
    });

    afterAll(async () => {
      await cleanUp();
      pki.remove();
      await Promise.all([logic.stop(), store.close()]);
    });

    /** Rows of one number are told apart. */
    const tagOf = (row: Vector): string => {
      const place = vectors.filter(({ no }) => no === row.no).indexOf(row);
      return place > 0 ? `${row.no}-${place + 1}` : row.no;
    };

    for (const [settings, rows] of bySettings(vectors)) {
      describe(describing(settings), () => {
        let gateway: Gateway | undefined;
        let world: World;

        beforeAll(async () => {
          const own = settings.COAP_DTLS_ENABLED === 'true' ? secured(pki) : {};
          const base = { ...UNHURRIED, TANDEM_RPC_WEBHOOK_URL: logic.url, ...own };
          gateway = await store.start({ ...base, ...settings }, apart);
          world = { ...gateway, logic, pki, server: await ServerClient.login(gateway.api.http) };
        }, START);

        afterAll(async () => {
          if (!gateway) return;
          const processes = [...new Set([gateway.http, gateway.coap, gateway.api])];
          await Promise.all(processes.map((process) => process.stop()));
          for (const process of processes) {
            expect(process.stderr).toBe('');
            expect(process.log.filter(({ level }) => level === 'error')).toEqual([]);
          }
        });

        const run = async (row: Vector): Promise<void> => {
          const scene = new Scene(world, tagOf(row));
          try {
            await row.run(scene);
          } finally {
            await scene.end();
          }
        };
        const company = rows.filter(({ sideBySide }) => sideBySide);
        let running: Map<Vector, Promise<void>> | undefined;

        it.each(rows.map((row) => [nameOf(row), row] as const))('%s', (_name, row) => {
          if (!row.sideBySide) return run(row);
          running ??= inLanes(company, run);
          return running.get(row);
        });
      });
    }
  });
}

/** How long the start of a gateway may take: a second, but on a machine that others use up. */
const START = 120_000;

const LANES = 8;

/** All of them at once, though no more than there are lanes. */
function inLanes(rows: readonly Vector[], run: (row: Vector) => Promise<void>): Map<Vector, Promise<void>> {
  const lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve());
  return new Map(
    rows.map((row, n) => {
      const turn = () => run(row);
      const done = (lanes[n % LANES] ?? Promise.resolve()).then(turn, turn);
      // Its test says how it ended, when its turn comes.
      done.catch(() => {});
      lanes[n % LANES] = done;
      return [row, done] as const;
    }),
  );
}

/** What the server proves itself with. */
const secured = ({ server }: Pki): Environment => ({
  COAP_DTLS_PEM_CERT: server.chainFile,
  COAP_DTLS_PEM_KEY: server.keyFile,
});

function bySettings(vectors: readonly Vector[]): [Environment, Vector[]][] {
  const groups = new Map<string, Vector[]>();
  for (const vector of vectors) {
    const key = JSON.stringify(vector.settings ?? {});
    const group = groups.get(key);
    if (group) group.push(vector);
    else groups.set(key, [vector]);
  }
  return [...groups].map(([key, rows]) => [JSON.parse(key) as Environment, rows]);
}

const describing = (settings: Environment): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ') || 'with base settings';
