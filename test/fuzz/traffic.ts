import { ACK, blockValue, CON, empty, NON, OPTION, pathOptions, RST, write } from './message';
import type { Seeded } from './seeded';
import { type Knowledge, soundMessage } from './sound-messages';
import { spoil } from './spoil';

const CORPUS = 1_500;
/** One message of the corpus is replaced by a new one after so many datagrams. */
const REFRESH = 20;
const REMEMBERED = 64;
const UPLOADS = 12;

/** A body on its way in blocks: always from the same socket. */
interface Upload {
  readonly lane: number;
  readonly path: readonly string[];
  readonly blocks: number;
  readonly exponent: number;
  next: number;
}

interface Sent {
  readonly lane: number;
  readonly datagram: Buffer;
}

/**
 * An endless sequence of datagrams for a number of lanes, which are sockets. The same for the same seed: what comes back
 * has no influence on it. After `step`, `lane` and `datagram` are the next one.
 */
export class Traffic {
  lane = 0;
  datagram: Buffer = Buffer.alloc(0);
  readonly #corpus: Buffer[];
  readonly #uploads: Upload[] = [];
  readonly #past: Sent[] = [];
  readonly #held: Sent[] = [];
  #count = 0;

  constructor(
    private readonly random: Seeded,
    private readonly knowledge: Knowledge,
    private readonly lanes: number,
  ) {
    this.#corpus = Array.from({ length: CORPUS }, () => write(soundMessage(random, knowledge)));
  }

  step(): void {
    const { random } = this;
    if (++this.#count % REFRESH === 0) {
      this.#corpus[random.below(CORPUS)] = write(soundMessage(random, this.knowledge));
    }
    if (this.#past.length === REMEMBERED && random.percent(6)) {
      this.#again(this.#past[random.below(REMEMBERED)]);
      return;
    }
    this.lane = random.below(this.lanes);
    this.datagram = this.#fresh();
    if (random.percent(3)) this.#overtaken();
    const past = { lane: this.lane, datagram: this.datagram };
    if (this.#past.length < REMEMBERED) this.#past.push(past);
    else this.#past[random.below(REMEMBERED)] = past;
  }

  #again(sent: Sent | undefined): void {
    if (sent === undefined) return;
    this.lane = sent.lane;
    this.datagram = sent.datagram;
  }

  /** What should go now waits, and what has waited longest goes. */
  #overtaken(): void {
    this.#held.push({ lane: this.lane, datagram: this.datagram });
    if (this.#held.length > 8) this.#again(this.#held.shift());
  }

  #fresh(): Buffer {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 38) return this.#sound();
    if (kind < 76) return spoil(this.#sound(), this.#any(), random);
    if (kind < 84) return garbage(random);
    if (kind < 90) return empty(random.pick([ACK, RST, ACK, CON, NON]), random.below(0x10000));
    return this.#block();
  }

  #any(): Buffer {
    return this.#corpus[this.random.below(CORPUS)] ?? Buffer.alloc(0);
  }

  #sound(): Buffer {
    const datagram = Buffer.from(this.#any());
    datagram.writeUInt16BE(this.random.below(0x10000), 2);
    return datagram;
  }

  /** The next block of an upload, now and then one that does not follow. */
  #block(): Buffer {
    const { random } = this;
    if (this.#uploads.length < UPLOADS) this.#uploads.push(this.#newUpload());
    const index = random.below(this.#uploads.length);
    const upload = this.#uploads[index] ?? this.#newUpload();
    const number = random.percent(4) ? random.below(upload.blocks) : upload.next;
    if (!random.percent(4)) upload.next = number + 1;
    if (upload.next >= upload.blocks || random.percent(1)) this.#uploads.splice(index, 1);
    this.lane = upload.lane;
    const more = number + 1 < upload.blocks;
    const length = (16 << upload.exponent) - (random.percent(3) ? random.below(16) : 0);
    const datagram = write({
      type: random.percent(80) ? CON : NON,
      code: 2,
      token: random.bytes(random.below(5)),
      options: [
        ...pathOptions(upload.path),
        { number: OPTION.BLOCK1, value: blockValue(number, more, upload.exponent) },
      ],
      payload: Buffer.alloc(length, '{"upload":1}        '),
    });
    datagram.writeUInt16BE(random.below(0x10000), 2);
    return datagram;
  }

  #newUpload(): Upload {
    const { random } = this;
    const { tokens } = this.knowledge;
    const token = tokens[random.below(Math.max(1, tokens.length))] ?? random.word(20);
    return {
      lane: random.below(this.lanes),
      path: ['api', 'v1', token, random.pick(['telemetry', 'attributes'])],
      blocks: 2 + random.below(random.percent(90) ? 20 : 400),
      exponent: random.below(7),
      next: 0,
    };
  }
}

function garbage(random: Seeded): Buffer {
  const kind = random.below(100);
  if (kind < 80) return random.bytes(random.below(48));
  if (kind < 95)
    return Buffer.concat([Buffer.from([0x40 | random.below(64), random.below(8), 1, 2]), random.bytes(40)]);
  if (kind < 99) return Buffer.alloc(1 + random.below(1_500), random.below(256));
  return Buffer.alloc(random.below(65_000), 0x51);
}
