import { type Gateway, Lane, newTally, type Tally } from './lane';
import { Seeded } from './seeded';
import { Traffic } from './traffic';

/** What a sender is told in its first argument, as JSON. */
export interface SenderOrder {
  readonly seed: number;
  readonly gateway: Gateway;
  readonly tokens: readonly string[];
  /** Datagrams per second. */
  readonly rate: number;
  /** It stops by itself after so many. */
  readonly count: number;
}

/** What it tells: twice a second, and with `done` when it has sent everything. */
export interface SenderReport {
  readonly strangers: Tally;
  readonly devices: Tally;
  readonly done: boolean;
}

const STRANGERS = 48;
const DEVICES = 32;
/** So many of a hundred datagrams come from strangers. */
const STRANGE = 60;
/** Every second stranger moves to another address after so many datagrams of all strangers. */
const MOVE = 100;
/** So many of a hundred sockets are at one of four addresses, whose limits they reach together. */
const CROWDED = 25;
/** A socket that is left stays open so long for what is still on its way there. */
const LINGER = 3_000;
const BATCH = 64;
const REPORT_INTERVAL = 500;

/** One process of the fuzzer: two endless sequences of datagrams from many sockets. */
class Sender {
  readonly #strangers = newTally();
  readonly #devices = newTally();
  readonly #random: Seeded;
  readonly #reactions: Seeded;
  readonly #strangeTraffic: Traffic;
  readonly #deviceTraffic: Traffic;
  readonly #strangeLanes: Lane[] = [];
  readonly #deviceLanes: Lane[] = [];
  #sent = 0;
  #strange = 0;
  #since = Date.now();
  #paid = 0;

  constructor(private readonly order: SenderOrder) {
    const root = new Seeded(order.seed);
    this.#random = root.fork();
    this.#reactions = root.fork();
    this.#strangeTraffic = new Traffic(root.fork(), { tokens: [] }, STRANGERS);
    this.#deviceTraffic = new Traffic(root.fork(), { tokens: order.tokens }, DEVICES);
  }

  async run(): Promise<void> {
    const { gateway } = this.order;
    for (let n = 0; n < STRANGERS; n++) {
      this.#strangeLanes.push(await Lane.open(this.#address(), gateway, this.#strangers));
    }
    for (let n = 0; n < DEVICES; n++) {
      this.#deviceLanes.push(await Lane.open(this.#address(), gateway, this.#devices, this.#reactions));
    }
    setInterval(() => this.#report(false), REPORT_INTERVAL);
    this.#since = Date.now();
    this.#turn();
  }

  #turn(): void {
    const { rate, count } = this.order;
    const due = ((Date.now() - this.#since) * rate) / 1000 - this.#paid;
    // A machine that cannot keep up is not asked to make up for it.
    if (due > rate) this.#paid += due - rate;
    const batch = Math.min(BATCH, due, count - this.#sent);
    for (let n = 0; n < batch; n++) this.#next();
    if (this.#sent >= count) this.#report(true);
    else if (due > BATCH) setImmediate(() => this.#turn());
    else setTimeout(() => this.#turn(), 1);
  }

  #next(): void {
    this.#sent++;
    this.#paid++;
    const strange = this.#random.percent(STRANGE);
    const traffic = strange ? this.#strangeTraffic : this.#deviceTraffic;
    traffic.step();
    (strange ? this.#strangeLanes : this.#deviceLanes)[traffic.lane]?.send(traffic.datagram);
    if (strange && ++this.#strange % MOVE === 0) void this.#move(this.#random.below(STRANGERS / 2), this.#address());
  }

  async #move(index: number, address: string): Promise<void> {
    const left = this.#strangeLanes[index];
    this.#strangeLanes[index] = await Lane.open(address, this.order.gateway, this.#strangers);
    setTimeout(() => left?.close(), LINGER);
  }

  /** Somewhere in 127.0.0.0/8, but not where the gateway and ordinary devices are. Some share one of a few. */
  #address(): string {
    const random = this.#random;
    if (random.percent(CROWDED)) return `127.0.1.${1 + random.below(4)}`;
    return `127.${1 + random.below(254)}.${random.below(256)}.${1 + random.below(254)}`;
  }

  #report(done: boolean): void {
    const report: SenderReport = { strangers: this.#strangers, devices: this.#devices, done };
    process.send?.(report);
  }
}

process.on('disconnect', () => process.exit(0));
void new Sender(JSON.parse(process.argv[2] ?? '') as SenderOrder).run();
