import { cleanUp, type Environment, GatewayProcess } from '../support/gateway-process';
import { ServerClient } from '../support/server-client';
import { ACK_TIMEOUT, CoapPeer } from './coap-peer';
import { type LinkQuality, UdpProxy } from './udp-proxy';

/** Three of ten lost each way, one of ten doubled, and up to 30 ms late, so that they overtake each other. */
export const BAD_LINK: LinkQuality = { loss: 0.3, duplication: 0.1, delay: [0, 30] };

export interface LossyDevice {
  readonly id: string;
  /** Its path at the device API, without a slash at the end. */
  readonly base: string;
  readonly link: UdpProxy;
  readonly peer: CoapPeer;
}

/** A running gateway, and devices that each reach it over a bad link of their own. */
export class LossyWorld {
  readonly #devices: LossyDevice[] = [];

  private constructor(
    readonly gateway: GatewayProcess,
    readonly server: ServerClient,
  ) {}

  static async start(settings: Environment = {}): Promise<LossyWorld> {
    const gateway = await GatewayProcess.start({ TANDEM_COAP_ACK_TIMEOUT: String(ACK_TIMEOUT), ...settings });
    return new LossyWorld(gateway, await ServerClient.login(gateway.http));
  }

  /** @param seed decides which datagrams are lost */
  async device(seed: number, quality: LinkQuality = BAD_LINK): Promise<LossyDevice> {
    const token = `lossy-${seed}`;
    const id = await this.server.createDevice(token);
    const link = await UdpProxy.open(this.gateway.coap, quality, seed);
    const peer = await CoapPeer.open(link.port, seed);
    const device = { id, base: `api/v1/${token}`, link, peer };
    this.#devices.push(device);
    return device;
  }

  /** @param seed of the first; the others follow */
  devices(count: number, seed: number, quality?: LinkQuality): Promise<LossyDevice[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => this.device(seed + i, quality)));
  }

  async stop(): Promise<void> {
    for (const { link, peer } of this.#devices) {
      peer.close();
      link.close();
    }
    await cleanUp();
  }
}
