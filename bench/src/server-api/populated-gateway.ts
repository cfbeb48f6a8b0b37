import { setTimeout as delay } from 'node:timers/promises';
import { type GatewayUnderTest, startGateway } from '../servers/gateway';
import { ServerApi } from '../servers/server-api';
import { deviceTokens } from '../servers/server-under-test';
import { deviceName, readDevices } from './reads';

const TELEMETRY = '{"temperature":21.5,"humidity":48,"state":"running","battery":3.7,"rssi":-71}';
/** Time series that each read device has. */
export const KEYS = Object.keys(JSON.parse(TELEMETRY)).length;

const VIEW_LIMIT_MS = 120_000;
const POLL_MS = 100;

export interface PopulatedGateway {
  readonly gateway: GatewayUnderTest;
  readonly api: ServerApi;
  readonly deviceIds: readonly string[];
}

export interface PopulatedOptions {
  readonly command: readonly string[];
  readonly folder: string;
  readonly devices: number;
  /** Settings that differ from a gateway of all roles on the embedded store. */
  readonly env: NodeJS.ProcessEnv;
  readonly core: number | undefined;
}

/** A gateway with all the devices, and values of those whose values are read, in the view. */
export async function startPopulated(
  options: PopulatedOptions,
  print: (line: string) => void,
): Promise<PopulatedGateway> {
  const gateway = await startGateway({ ...options, protocol: 'http', devicesExist: true });
  try {
    const api = await ServerApi.login(gateway.origin);
    const tokens = deviceTokens(options.devices);
    const begun = performance.now();
    const deviceIds = await api.importDevices(tokens, deviceName);
    print(`${options.devices} devices in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    await api.sendTelemetry(readDevices(tokens), TELEMETRY);
    await untilInView(gateway.metricsOrigin);
    return { gateway, api, deviceIds };
  } catch (error) {
    await gateway.stop();
    throw error;
  }
}

async function untilInView(metricsOrigin: string): Promise<void> {
  for (let waited = 0; waited < VIEW_LIMIT_MS; waited += POLL_MS) {
    const text = await (await fetch(`${metricsOrigin}/metrics`)).text();
    if (/^tandem_telemetry_backlog 0$/m.test(text)) return;
    await delay(POLL_MS);
  }
  throw new Error(`the view has not caught up within ${VIEW_LIMIT_MS / 1000} s`);
}
