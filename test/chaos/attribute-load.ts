import { CoapDevice } from '../support/coap-device';
import { HttpDevice } from '../support/http-device';
import { answered, Loop } from './patience';
import type { ChaosDevice, Site } from './site';

/** Writes 1, 2, 3, ... as shared attribute `v`, each again until it is acknowledged, at whichever gateway answers. */
export class AttributeWriter {
  acknowledged: number;
  readonly #loop: Loop;
  #gateway = 0;

  constructor(site: Site, device: ChaosDevice, after: number) {
    this.acknowledged = after;
    this.#loop = new Loop(async () => {
      const client = site.client(this.#gateway % 2 === 0 ? 0 : 1);
      const next = this.acknowledged + 1;
      const written = await answered(client.share(device.id, { v: next }).then(() => true));
      if (written) this.acknowledged = next;
      else this.#gateway++;
      return written === true;
    }, 100);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}

/** Somebody who waits for the attribute: the last value it was told. */
export interface AttributeWaiter {
  readonly name: string;
  readonly told: number;
  /** The gateway it waits at has been replaced: a device finds out when it next asks, and asks again. */
  gatewayReplaced(index: 0 | 1): void;
  stop(): Promise<void>;
}

const valueIn = (text: string): number | undefined => (JSON.parse(text) as { v?: number }).v;

export class PollingWaiter implements AttributeWaiter {
  readonly name: string;
  told = 0;
  readonly #loop: Loop;

  constructor(site: Site, device: ChaosDevice, gateway: 0 | 1) {
    this.name = `poll of ${device.token} at gateway ${gateway}`;
    const http = new HttpDevice(site.gateways[gateway].http, device.token);
    this.#loop = new Loop(async () => {
      const answer = await http.poll('attributes/updates', 2_000).catch(() => undefined);
      if (answer?.status === 200) this.told = valueIn(answer.text) ?? this.told;
      return answer?.status === 200 || answer?.status === 408;
    });
  }

  gatewayReplaced(): void {}

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}

/** Registers once; only a gateway that was replaced makes it register again. */
export class ObservingWaiter implements AttributeWaiter {
  readonly name: string;
  told = 0;
  #stopped = false;
  #registration = 0;

  private constructor(
    private readonly coap: CoapDevice,
    device: ChaosDevice,
    private readonly gateway: 0 | 1,
  ) {
    this.name = `observation of ${device.token} at gateway ${gateway}`;
    void this.#register();
  }

  static async start(site: Site, device: ChaosDevice, gateway: 0 | 1): Promise<ObservingWaiter> {
    return new ObservingWaiter(await CoapDevice.open(site.gateways[gateway].coap, device.token), device, gateway);
  }

  gatewayReplaced(index: 0 | 1): void {
    if (index === this.gateway) void this.#register();
  }

  async #register(): Promise<void> {
    const registration = ++this.#registration;
    while (!this.#stopped && registration === this.#registration) {
      const exchange = this.coap.observe('attributes');
      const first = await answered(exchange.next());
      if (first?.code !== '2.05' || !first.observe) continue;
      for (let answer = first; answer.observe; answer = await exchange.next()) {
        if (registration !== this.#registration) return;
        this.told = valueIn(answer.text) ?? this.told;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.coap.close();
  }
}
