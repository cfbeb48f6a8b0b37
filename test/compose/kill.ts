import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, type RoundResult, runRound } from '../chaos/round';
import { ComposeSite, killForGood, killInside, start } from './compose-site';

/**
 * Kills one container after the other under load over HTTP, CoAP and CoAP over DTLS, and accounts for everything that was acknowledged:
 * the rounds of `test/chaos` on what docker-compose.yml has started.
 *
 *   PASSWORD=... node --require esbuild-register test/compose/kill.ts [single|cluster]
 */

/** Longer than a Cluster takes to see that a master is gone, and its replica to take over. */
const TAKE_OVER = 12_000;

const killed = (service: string): Fault<ComposeSite> => ({
  name: `kill -9 in ${service}`,
  notReady: false,
  async inject(_site, _round, replaced) {
    await killInside(service);
    if (service === 'coap') for (const index of [0, 1] as const) replaced(index);
  },
});

const masterAway: Fault<ComposeSite> = {
  name: 'a master killed, its replica takes over',
  notReady: false,
  async inject() {
    await killForGood('redis-2');
    await delay(TAKE_OVER);
    await start('redis-2');
  },
};

const FAULTS = {
  single: ['api', 'http', 'coap', 'coaps', 'redis'].map(killed),
  cluster: [killed('redis-1'), masterAway, killed('coap'), killed('api')],
};

const isClean = (result: RoundResult): boolean =>
  result.lost + result.duplicated + result.notShown + result.commandsLost + result.stale === 0 &&
  result.complaints.length === 0 &&
  result.acknowledged > 100;

async function main(): Promise<boolean> {
  const cluster = process.argv[2] === 'cluster';
  const site = await ComposeSite.open(process.env.PASSWORD ?? '', cluster);
  let clean = true;
  for (const [round, fault] of (cluster ? FAULTS.cluster : FAULTS.single).entries()) {
    const result = await runRound(site, fault, round);
    const { acknowledged, refused, commands, complaints } = result;
    const counted = `${acknowledged} messages and ${commands} commands acknowledged, ${refused} messages refused`;
    if (isClean(result)) process.stdout.write(`ok - ${fault.name}: nothing lost of ${counted}\n`);
    else
      process.stdout.write(`NOT ok - ${fault.name}: ${counted}; ${JSON.stringify(result)} ${complaints.join('; ')}\n`);
    clean &&= isClean(result);
  }
  return clean;
}

main().then(
  (clean) => process.exit(clean ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
