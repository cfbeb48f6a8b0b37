import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import { answered } from '../chaos/patience';
import type { ChaosDevice, Doors, ProcessUnderTest, Site } from '../chaos/site';
import { TelemetryLoad } from '../chaos/telemetry-load';
import { DtlsDevice } from '../support/dtls-device';
import { ServerClient } from '../support/server-client';

const run = promisify(execFile);
const API = 8080;
const COAPS = 5684;
const DOORS: Doors = { http: 8081, coap: 5683 };
const METRICS = { api: 9101, http: 9102, coap: 9103, coaps: 9104 } as const;
const NODES = [1, 2, 3, 4, 5, 6];

/** What comes up by docker-compose.yml, as it is used from outside; the engine is asked by its command. */
export class ComposeSite implements Site {
  readonly gateways = [DOORS, DOORS] as const;
  readonly partitions = 8;
  readonly processes: readonly ProcessUnderTest[] = Object.entries(METRICS).map(([name, metrics]) => ({
    name,
    metrics,
    died: false,
  }));

  private constructor(
    private readonly login: ServerClient,
    private readonly cluster: boolean,
  ) {}

  static async open(password: string, cluster: boolean): Promise<ComposeSite> {
    return new ComposeSite(await ServerClient.login(API, 'tenant@thingsboard.org', password), cluster);
  }

  client(): ServerClient {
    return this.login;
  }

  async createDevices(count: number, generation: string): Promise<ChaosDevice[]> {
    const devices: ChaosDevice[] = [];
    for (let n = 0; n < count; n++) {
      const token = `compose-${generation}-${n}`;
      devices.push({ id: await this.login.createDevice(token), token });
    }
    return devices;
  }

  /** Redis is published nowhere: by its address in the engine's network. */
  async connectToStore(): Promise<Redis | Cluster> {
    if (!this.cluster) {
      return new Redis({ host: await addressOf('redis'), port: 6379, maxRetriesPerRequest: null });
    }
    const nodes = await Promise.all(NODES.map(async (n) => ({ host: await addressOf(`redis-${n}`), port: 7000 + n })));
    return new Cluster(nodes, { clusterRetryStrategy: () => 100, slotsRefreshInterval: 1_000 });
  }

  /** Over DTLS, by the token inside; a session that is not answered any more is made anew. */
  async moreTelemetry(device: ChaosDevice, first: number): Promise<TelemetryLoad> {
    let session = new DtlsDevice(COAPS);
    const post = async (body: string): Promise<boolean> => {
      const answer = await answered(session.ask('POST', `api/v1/${device.token}/telemetry`, body));
      if (answer === undefined) {
        session.kill();
        session = new DtlsDevice(COAPS);
      }
      return answer?.kind.endsWith('2.01') === true;
    };
    return TelemetryLoad.over(device, first, post, () => session.kill());
  }
}

/** The answer of `docker inspect` to a template, for the container of a service. */
async function inspected(service: string, template: string): Promise<string> {
  const { stdout: id } = await run('docker', ['compose', 'ps', '--all', '--quiet', service]);
  const { stdout } = await run('docker', ['inspect', '--format', template, id.trim()]);
  return stdout.trim();
}

/** The loopback interface where containers share the host's network. */
async function addressOf(service: string): Promise<string> {
  const addresses = await inspected(service, '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}');
  return addresses.split(' ')[0] || '127.0.0.1';
}

const HEALTHY = '{{.State.Status}} {{.State.Health.Status}} {{.State.Pid}}';
const BACK_LIMIT = 60_000;

/**
 * `kill -9` of the process itself: the engine restarts no container that it was told to kill. Done in a container that sees the
 * processes of the machine, which needs no root here.
 * @returns when the engine has started it again, and it is healthy
 */
export async function killInside(service: string): Promise<void> {
  const pid = await inspected(service, '{{.State.Pid}}');
  const kill = [
    '--pid',
    'host',
    '--network',
    'none',
    '--user',
    '0',
    '--entrypoint',
    'sh',
    'tandem',
    '-c',
    `kill -9 ${pid}`,
  ];
  await run('docker', ['run', '--rm', ...kill]);
  await healthy(service, pid);
}

/** `docker kill`: it stays away. */
export const killForGood = (service: string) => run('docker', ['compose', 'kill', service]).then(() => {});

export async function start(service: string): Promise<void> {
  await run('docker', ['compose', 'start', service]);
  await healthy(service);
}

async function healthy(service: string, before = '0'): Promise<void> {
  const deadline = Date.now() + BACK_LIMIT;
  for (;;) {
    const [status, health, pid] = (await inspected(service, HEALTHY)).split(' ');
    if (status === 'running' && health === 'healthy' && pid !== before) return;
    if (Date.now() > deadline) throw new Error(`${service} is ${status}, ${health}`);
    await delay(200);
  }
}
