import { CoapDevice } from '../support/coap-device';
import { HttpDevice } from '../support/http-device';
import { answered, Loop } from './patience';
import type { ChaosDevice, Site } from './site';

/** One device that sends one message after the other, each with a number of its own as timestamp; none is sent twice. */
export class TelemetryLoad {
  readonly acknowledged = new Set<number>();
  readonly #loop: Loop;
  #next: number;
  refused = 0;

  private constructor(
    readonly device: ChaosDevice,
    first: number,
    private readonly post: (body: string) => Promise<boolean>,
    private readonly close: () => void,
  ) {
    this.#next = first;
    this.#loop = new Loop(() => this.#step());
  }

  /** @param first smallest number: those of a later load of the device must be larger */
  static async start(
    site: Site,
    device: ChaosDevice,
    protocol: 'http' | 'coap',
    gateway: 0 | 1,
    first: number,
  ): Promise<TelemetryLoad> {
    if (protocol === 'http') {
      const http = new HttpDevice(site.gateways[gateway].http, device.token);
      const post = async (body: string) => (await answered(http.post('telemetry', body)))?.status === 200;
      return new TelemetryLoad(device, first, post, () => {});
    }
    const coap = await CoapDevice.open(site.gateways[gateway].coap, device.token);
    const post = async (body: string) => (await answered(coap.post('telemetry', body)))?.code === '2.01';
    return new TelemetryLoad(device, first, post, () => coap.close());
  }

  /** @param post resolves with whether it was acknowledged */
  static over(
    device: ChaosDevice,
    first: number,
    post: (body: string) => Promise<boolean>,
    close: () => void,
  ): TelemetryLoad {
    return new TelemetryLoad(device, first, post, close);
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.close();
  }

  async #step(): Promise<boolean> {
    const number = this.#next++;
    const accepted = await this.post(`{"ts":${number},"values":{"n":${number}}}`);
    if (accepted) this.acknowledged.add(number);
    else this.refused++;
    return accepted;
  }
}
