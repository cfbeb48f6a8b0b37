import { CoapDevice } from '../support/coap-device';
import { HttpDevice } from '../support/http-device';
import { answered, Loop } from './patience';
import type { ChaosDevice, Site } from './site';

/** Longer than any round: no command of ours expires. */
const LIFE = 600_000;

interface Sent {
  readonly rpcId: string;
  readonly way: 'oneway' | 'twoway';
  readonly number: number;
}

/** Persistent commands, one-way and two-way in turn; only those that were accepted count. */
export class CommandSender {
  readonly sent: Sent[] = [];
  readonly #loop: Loop;
  #number = 0;

  constructor(site: Site, device: ChaosDevice) {
    this.#loop = new Loop(async () => {
      const number = ++this.#number;
      const way = number % 2 === 0 ? 'oneway' : 'twoway';
      const client = site.client(number % 4 < 2 ? 0 : 1);
      const body = { method: 'set', params: number, persistent: true, expirationTime: Date.now() + LIFE };
      const answer = await answered(client.command(way, device.id, body));
      if (answer?.status !== 200) return false;
      this.sent.push({ rpcId: (JSON.parse(answer.text) as { rpcId: string }).rpcId, way, number });
      return true;
    }, 200);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}

/** A device that takes commands and answers them; an answer that was refused it sends again. */
export interface CommandTaker {
  /** The numbers of the commands that arrived. */
  readonly arrived: ReadonlySet<number>;
  gatewayReplaced(index: 0 | 1): void;
  stop(): Promise<void>;
}

interface Command {
  readonly id: number;
  readonly params: number;
}

export class PollingTaker implements CommandTaker {
  readonly arrived = new Set<number>();
  readonly #loop: Loop;

  constructor(site: Site, device: ChaosDevice, gateway: 0 | 1) {
    const http = new HttpDevice(site.gateways[gateway].http, device.token);
    this.#loop = new Loop(async () => {
      const answer = await http.poll('rpc', 2_000).catch(() => undefined);
      if (answer?.status !== 200) return answer?.status === 408;
      const { id, params } = JSON.parse(answer.text) as Command;
      this.arrived.add(params);
      // Odd numbers are two-way; one that is not answered is handed out again.
      if (params % 2 === 1) await answered(http.post(`rpc/${id}`, `{"done":${params}}`));
      return true;
    });
  }

  gatewayReplaced(): void {}

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}

export class ObservingTaker implements CommandTaker {
  readonly arrived = new Set<number>();
  #stopped = false;
  #registration = 0;

  private constructor(
    private readonly coap: CoapDevice,
    private readonly gateway: 0 | 1,
  ) {
    void this.#register();
  }

  static async start(site: Site, device: ChaosDevice, gateway: 0 | 1): Promise<ObservingTaker> {
    return new ObservingTaker(await CoapDevice.open(site.gateways[gateway].coap, device.token), gateway);
  }

  gatewayReplaced(index: 0 | 1): void {
    if (index === this.gateway) void this.#register();
  }

  async #register(): Promise<void> {
    const registration = ++this.#registration;
    while (!this.#stopped && registration === this.#registration) {
      const exchange = this.coap.observe('rpc');
      let answer = await answered(exchange.next());
      while (answer?.observe && registration === this.#registration) {
        if (answer.text !== '') void this.#take(JSON.parse(answer.text) as Command);
        answer = await exchange.next();
      }
    }
  }

  async #take({ id, params }: Command): Promise<void> {
    if (typeof params !== 'number') return;
    this.arrived.add(params);
    if (params % 2 === 0) return;
    while (!this.#stopped) {
      const answer = await answered(this.coap.post(`rpc/${id}`, `{"done":${params}}`));
      if (answer?.code.startsWith('2.')) return;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.coap.close();
  }
}
