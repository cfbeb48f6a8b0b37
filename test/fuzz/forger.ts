import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { forgedPacket, type Lie } from './forged-packet';
import { type Gateway, Lane, newTally, type Tally } from './lane';
import { Seeded } from './seeded';
import { Traffic } from './traffic';

export interface ForgerOrder {
  readonly seed: number;
  readonly gateway: Gateway;
  readonly rate: number;
  readonly count: number;
}

/** `refusal`: why this system lets nobody forge; undefined when it does. */
export interface ForgerReport {
  readonly victims: Tally;
  readonly sent: number;
  readonly refusal: string | undefined;
  readonly done: boolean;
}

const VICTIMS = 16;
const BATCH = 50;
const REPORT_INTERVAL = 500;

const LIES: readonly [Lie, ...Lie[]] = [
  'none',
  'none',
  'none',
  'none',
  'none',
  'longer',
  'shorter',
  'checksum',
  'zero-length',
];

/**
 * Sends datagrams in the name of others, from a raw socket: from port 0, from addresses of no network, from the gateway
 * itself, and from victims, sockets that get what the gateway sends there. No reply leaves the machine: the gateway is
 * bound to the loopback interface.
 */
class Forger {
  readonly #victims: Lane[] = [];
  readonly #tally = newTally();
  readonly #random: Seeded;
  readonly #traffic: Traffic;
  #sent = 0;
  #refusal: string | undefined;

  constructor(private readonly order: ForgerOrder) {
    const root = new Seeded(order.seed);
    this.#random = root.fork();
    this.#traffic = new Traffic(root.fork(), { tokens: [] }, VICTIMS);
  }

  async run(): Promise<void> {
    for (let n = 0; n < VICTIMS; n++) {
      this.#victims.push(await Lane.open(`127.66.0.${n + 1}`, this.order.gateway, this.#tally));
    }
    setInterval(() => this.#report(false), REPORT_INTERVAL);
    const perl = spawn('perl', [join(__dirname, 'raw-sender.pl')], { stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = this.#ended(perl);
    await Promise.race([this.#feed(perl), ended]);
    perl.stdin?.end();
    await ended;
    this.#report(true);
  }

  /** Resolves when nothing more can be sent. */
  #ended(perl: ChildProcess): Promise<void> {
    let complaint = '';
    perl.stderr?.on('data', (text: Buffer) => {
      complaint += text.toString();
    });
    perl.stdout?.resume();
    perl.stdin?.on('error', () => {});
    return new Promise((resolve) => {
      perl.once('error', (error) => {
        this.#refusal = error.message;
        resolve();
      });
      perl.once('close', (code) => {
        if (code !== 0) this.#refusal = complaint.trim() || `perl ended with ${code}`;
        resolve();
      });
    });
  }

  async #feed(perl: ChildProcess): Promise<void> {
    const { rate, count } = this.order;
    const since = Date.now();
    while (this.#sent < count && this.#refusal === undefined) {
      const batch: Buffer[] = [];
      for (let n = Math.min(BATCH, count - this.#sent); n > 0; n--) batch.push(...this.#next());
      if (!perl.stdin?.write(Buffer.concat(batch))) await Promise.race([once(perl, 'close'), drained(perl)]);
      const early = (this.#sent * 1000) / rate - (Date.now() - since);
      if (early > 1) await delay(early);
    }
  }

  #next(): Buffer[] {
    this.#sent++;
    this.#traffic.step();
    const { lane, datagram } = this.#traffic;
    // Longer ones do not fit into a packet of the loopback interface together with their headers.
    const payload = datagram.subarray(0, 60_000);
    const victim = this.#random.percent(30) ? this.#victims[lane] : undefined;
    // What is sent in the name of a victim arrives, since it is counted.
    victim?.account(payload);
    const lie = victim ? 'none' : this.#random.pick(LIES);
    const { address, port } = victim?.address ?? this.#nowhere();
    const packet = forgedPacket({ source: address, sourcePort: port, port: this.order.gateway.port, payload, lie });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.length);
    return [length, packet];
  }

  /** An address at which nobody waits for an answer. */
  #nowhere(): { readonly address: string; readonly port: number } {
    const random = this.#random;
    const anyPort = random.below(0x10000);
    switch (random.below(7)) {
      case 0:
        return { address: `127.${random.below(60)}.${random.below(256)}.1`, port: 0 };
      case 1:
        return { address: '127.0.0.1', port: this.order.gateway.port };
      case 2:
        return {
          address: random.pick(['0.0.0.0', '255.255.255.255', '224.0.1.187', '127.255.255.255']),
          port: anyPort,
        };
      case 3:
      case 4:
        // Networks that exist in documents only (RFC 5737).
        return {
          address: `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.below(256)}`,
          port: anyPort,
        };
      default:
        return { address: `127.${1 + random.below(60)}.${random.below(256)}.${random.below(256)}`, port: anyPort };
    }
  }

  #report(done: boolean): void {
    const report: ForgerReport = { victims: this.#tally, sent: this.#sent, refusal: this.#refusal, done };
    process.send?.(report);
  }
}

async function drained(perl: ChildProcess): Promise<void> {
  if (perl.stdin) await once(perl.stdin, 'drain');
}

process.on('disconnect', () => process.exit(0));
void new Forger(JSON.parse(process.argv[2] ?? '') as ForgerOrder).run();
