import { type Environment, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import type { Identity } from './pki';

/** A gateway with CoAP over DTLS on a free port. */
export class CoapsGateway {
  private constructor(
    readonly process: GatewayProcess,
    readonly server: ServerClient,
    readonly port: number,
  ) {}

  static async start(identity: Identity, settings: Environment = {}): Promise<CoapsGateway> {
    const process = await GatewayProcess.start({
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
      COAP_DTLS_BIND_PORT: '0',
      COAP_DTLS_PEM_CERT: identity.chainFile,
      COAP_DTLS_PEM_KEY: identity.keyFile,
      ...settings,
    });
    const { coaps } = await process.logged('ready');
    return new CoapsGateway(process, await ServerClient.login(process.http), Number(coaps));
  }

  deviceOf(name: string, { certificate }: Identity): Promise<string> {
    return this.#create(name, { credentialsType: 'X509_CERTIFICATE', credentialsValue: certificate });
  }

  /** @param key as text, see `Shown` */
  deviceWithKey(name: string, identity: string, key: string): Promise<string> {
    const credentialsValue = Buffer.from(key).toString('hex');
    return this.#create(name, { credentialsType: 'PSK', credentialsId: identity, credentialsValue });
  }

  async #create(name: string, credentials: object): Promise<string> {
    const { status, text } = await this.server.send('POST', '/api/device-with-credentials', {
      device: { name, type: 'default' },
      credentials,
    });
    if (status !== 200) throw new Error(`${name}: ${status} ${text}`);
    return (JSON.parse(text) as { id: { id: string } }).id.id;
  }

  /** How many values of a key are stored for a device, once they are in the view; at least `wanted`. */
  async stored(deviceId: string, key: string): Promise<string[]> {
    return (await this.server.history(deviceId, key)).map(({ value }) => value);
  }
}
