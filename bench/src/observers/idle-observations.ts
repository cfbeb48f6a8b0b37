import { FailedRun } from '../contestant';
import { MAX_OBSERVATION_BYTES, megabytes } from '../limits';
import { atRest, COLLECTING_OPTIONS } from '../measure/at-rest';
import { type GatewayUnderTest, startGateway } from '../servers/gateway';
import { ObserverFleet } from './observer-fleet';

/** Once to be looked up and cached, once more so that the window of deduplication has seen as much as it will. */
const READS = 2;

export interface IdleObservationsOptions {
  /** Starts the gateway. */
  readonly command: readonly string[];
  /** Access tokens of the devices, which are in the store in `<folder>/data`. */
  readonly tokens: readonly string[];
  readonly folder: string;
  readonly print: (line: string) => void;
}

/**
 * Bytes of anonymous memory that an observation costs a gateway while nothing happens. Every device has been heard of
 * before the base line, so that what is kept of a device anyway is no part of it; what is kept of the port that it
 * observes from is. The gateway is a fresh process: room left by earlier work would hide the cost. Garbage is collected
 * before both looks, since the first one would hide as much as it has not collected.
 */
export async function measureIdleObservations(options: IdleObservationsOptions): Promise<number> {
  const { tokens, folder, print } = options;
  const count = tokens.length;
  const gateway = await startGateway({
    protocol: 'coap',
    command: options.command,
    folder,
    devices: count,
    devicesExist: true,
    core: undefined,
    env: {
      COAP_MAX_OBSERVATIONS: String(count),
      TANDEM_CREDENTIALS_CACHE_MAX: String(2 * count),
      NODE_OPTIONS: COLLECTING_OPTIONS,
    },
  });
  let fleet: ObserverFleet | undefined;
  try {
    fleet = await ObserverFleet.start({ host: gateway.host, port: gateway.port, tokens, folder });
    print(
      `\nidle: ${count} observations of ${count} devices, each from a UDP port of its own (${fleet.processes} processes)`,
    );
    await fleet.read(READS);
    const before = await atRest(gateway);
    await fleet.register();
    const after = await atRest(gateway);
    await assertAllThere(gateway, count);
    const each = (after.collected - before.collected) / count;
    print(
      `  anonymous memory at rest: ${megabytes(before.collected)} before, ${megabytes(after.collected)} with them ` +
        `(before the garbage was collected: ${megabytes(before.uncollected)}, ${megabytes(after.uncollected)})`,
    );
    print(`  each observation: ${each.toFixed(0)} bytes (at most ${MAX_OBSERVATION_BYTES} is wanted)`);
    return each;
  } finally {
    await fleet?.stop();
    await gateway.stop();
  }
}

/** An observation that the gateway has given up costs nothing. */
async function assertAllThere({ metricsOrigin }: GatewayUnderTest, count: number): Promise<void> {
  const metrics = await (await fetch(`${metricsOrigin}/metrics`)).text();
  const there = Number(/^tandem_coap_observations\{protocol="coap"\} (\d+)$/m.exec(metrics)?.[1]);
  if (there !== count) throw new FailedRun(`the gateway has ${there} observations, not ${count}`);
}
