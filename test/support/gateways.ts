import { CoapDevice } from './coap-device';
import { type Environment, GatewayProcess } from './gateway-process';
import { HttpDevice } from './http-device';
import { ServerClient } from './server-client';

/** One gateway in three processes on one Redis: a role each. */
export class SplitGateway {
  #devices = 0;

  private constructor(
    readonly api: GatewayProcess,
    readonly http: GatewayProcess,
    readonly coap: GatewayProcess,
    readonly server: ServerClient,
  ) {}

  static async start(settings: Environment): Promise<SplitGateway> {
    const [api, http, coap] = await Promise.all(
      ['api', 'http', 'coap'].map((role) => GatewayProcess.start({ TANDEM_ROLES: role, ...settings })),
    );
    if (!api || !http || !coap) throw new Error('three processes');
    return new SplitGateway(api, http, coap, await ServerClient.login(api.http));
  }

  get processes(): readonly GatewayProcess[] {
    return [this.api, this.http, this.coap];
  }

  /** A new device, at both doors. */
  async device(token = `token-of-device-${++this.#devices}`) {
    const id = await this.server.createDevice(token);
    return { id, token, ...(await this.at(token)) };
  }

  /** The doors as whoever has that token sees them. */
  async at(token: string) {
    return { http: new HttpDevice(this.http.http, token), coap: await CoapDevice.open(this.coap.coap, token) };
  }

  async changeToken(deviceId: string, token: string): Promise<void> {
    const path = `/api/device/${deviceId}/credentials`;
    const credentials = JSON.parse((await this.server.send('GET', path)).text) as object;
    const changed = await this.server.send('POST', '/api/device/credentials', { ...credentials, credentialsId: token });
    if (changed.status !== 200) throw new Error(`credentials: ${changed.status} ${changed.text}`);
  }

  stop() {
    return Promise.all(this.processes.map((process) => process.stop()));
  }
}

/** Resolves when `settled` does with true: for what other processes hear of soon after. */
export async function soon(settled: () => Promise<boolean>): Promise<void> {
  while (!(await settled())) await new Promise((resolve) => setTimeout(resolve, 10));
}
