import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually';
import { cleanUp, type Environment, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';

/** How long the webhook takes (ms), and how long the gateway waits with an empty Acknowledgement: answers are separate. */
const WEBHOOK_DELAY = 300;
const PIGGYBACK_TIMEOUT = 100;

export const WEBHOOK_REPLY = '{"from":"the webhook"}';

export interface InteropDevice {
  readonly id: string;
  readonly token: string;
}

/** A running gateway with a webhook that takes its time, for clients that are not ours. */
export class InteropGateway {
  #devices = 0;

  private constructor(
    readonly process: GatewayProcess,
    readonly server: ServerClient,
    private readonly webhook: Server,
  ) {}

  static async start(settings: Environment = {}): Promise<InteropGateway> {
    const webhook = createServer((request, response) => {
      request.resume();
      setTimeout(() => response.end(WEBHOOK_REPLY), WEBHOOK_DELAY);
    });
    webhook.listen(0, '127.0.0.1');
    await once(webhook, 'listening');
    const process = await GatewayProcess.start({
      COAP_PIGGYBACK_TIMEOUT: String(PIGGYBACK_TIMEOUT),
      TANDEM_RPC_WEBHOOK_URL: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
      ...settings,
    });
    return new InteropGateway(process, await ServerClient.login(process.http), webhook);
  }

  async device(): Promise<InteropDevice> {
    const token = `interop-${++this.#devices}`;
    return { token, id: await this.server.createDevice(token) };
  }

  /** The device goes, and its observations with it. */
  async remove({ id }: InteropDevice): Promise<void> {
    await this.server.send('DELETE', `/api/device/${id}`);
    await this.process.observations(0);
  }

  get base(): string {
    return `coap://127.0.0.1:${this.process.coap}`;
  }

  url({ token }: InteropDevice, feature: string): string {
    return `${this.base}/api/v1/${token}/${feature}`;
  }

  /** Resolves when the latest telemetry of the device is this. */
  async stored({ id }: InteropDevice, wanted: Record<string, string>): Promise<void> {
    let found: Record<string, string | undefined> = {};
    await eventually(async () => {
      const latest = await this.server.latest(id);
      found = Object.fromEntries(Object.entries(latest).map(([key, points]) => [key, points[0]?.value]));
      return Object.keys(wanted).every((key) => key in found) ? undefined : `there is ${JSON.stringify(found)}`;
    });
    expect(found).toEqual(wanted);
  }

  async commandBecomes(rpcId: string, wanted: string): Promise<void> {
    await eventually(async () => {
      const status = await this.server.persistentStatus(rpcId);
      return status === wanted ? undefined : `the command is ${status}`;
    });
  }

  async stop(): Promise<void> {
    this.webhook.closeAllConnections();
    this.webhook.close();
    await cleanUp();
  }
}

/** Of any two positions in it one can tell which is which. */
export const text = (length: number) =>
  Array.from({ length }, (_, i) => `${i} `)
    .join('')
    .slice(0, length);
