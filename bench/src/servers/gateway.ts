import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Child } from './child';
import { freeTcpPort, freeUdpPort } from './free-port';
import { ServerApi } from './server-api';
import { deviceTokens, type Protocol, type ServerUnderTest } from './server-under-test';

const HOST = '127.0.0.1';
const START_LIMIT_MS = 60_000;
const POLL_MS = 100;

export interface GatewayOptions {
  readonly protocol: Protocol;
  /** Command and arguments. */
  readonly command: readonly string[];
  /** Folder for its data and its output: a fresh one, or that of the process that has created the devices. */
  readonly folder: string;
  readonly devices: number;
  readonly core: number | undefined;
  /** Settings that differ from a gateway of all roles on the embedded store. */
  readonly env?: NodeJS.ProcessEnv;
  /** Another process has created the devices already, in the same store. */
  readonly devicesExist?: boolean;
}

export interface GatewayUnderTest extends ServerUnderTest {
  /** Of the server API or the device API over HTTP. */
  readonly origin: string;
  /** Of /metrics. */
  readonly metricsOrigin: string;
  readonly coapPort: number;
  /** In the order of the tokens; empty when the devices existed before. */
  readonly deviceIds: readonly string[];
}

/** The built gateway of this repository. */
export const GATEWAY_SCRIPT = path.join(__dirname, '..', '..', '..', 'packages', 'gateway', 'bin', 'tandem.js');

/** Starts a gateway on free ports and an empty data folder, and creates the devices through the server API. */
export async function startGateway(options: GatewayOptions): Promise<GatewayUnderTest> {
  const [command = '', ...args] = options.command;
  const httpPort = await freeTcpPort();
  const metricsPort = await freeTcpPort();
  const coapPort = await freeUdpPort();
  const child = new Child({
    command,
    args,
    env: {
      ...process.env,
      HTTP_BIND_ADDRESS: HOST,
      HTTP_BIND_PORT: String(httpPort),
      COAP_BIND_ADDRESS: HOST,
      COAP_BIND_PORT: String(coapPort),
      TANDEM_METRICS_ADDRESS: HOST,
      TANDEM_METRICS_PORT: String(metricsPort),
      TANDEM_DATA_DIR: path.join(options.folder, 'data'),
      TANDEM_DEMO: 'true',
      ...options.env,
    },
    logFile: path.join(options.folder, 'output.log'),
    core: options.core,
    ipc: false,
  });
  const tokens = deviceTokens(options.devices);
  const origin = `http://${HOST}:${httpPort}`;
  const metricsOrigin = `http://${HOST}:${metricsPort}`;
  let deviceIds: readonly string[] = [];
  try {
    await untilReady(child, `${metricsOrigin}/readyz`);
    if (!options.devicesExist) deviceIds = await createDevices(origin, tokens);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    name: 'gateway',
    pid: child.pid,
    host: HOST,
    port: options.protocol === 'http' ? httpPort : coapPort,
    tokens,
    origin,
    metricsOrigin,
    coapPort,
    deviceIds,
    ended: () => child.ended(),
    stop: () => child.stop(),
  };
}

async function untilReady(child: Child, url: string): Promise<void> {
  for (let waited = 0; waited < START_LIMIT_MS; waited += POLL_MS) {
    const ended = child.ended();
    if (ended !== undefined) {
      throw ended;
    }
    const response = await fetch(url).catch(() => undefined);
    if (response?.status === 200) {
      return;
    }
    await delay(POLL_MS);
  }
  throw new Error(`the gateway is not ready after ${START_LIMIT_MS / 1000} s: ${url} does not answer 200`);
}

async function createDevices(origin: string, tokens: readonly string[]): Promise<string[]> {
  const api = await ServerApi.login(origin);
  try {
    return await api.createDevices(tokens);
  } finally {
    api.close();
  }
}
