import { createHash, X509Certificate } from 'node:crypto';
import { type Clock, type LabelsOf, type MetricName, MetricsRegistry, type TlsFiles } from '@tandem/core';
import { FakeClock } from '../../endpoint/testing/fake-clock';
import { FakeNetwork, type FakeSocket } from '../../endpoint/testing/fake-network';
import { FakeRandom } from '../../endpoint/testing/fake-random';
import { type LogLine, recordingLogger } from '../../endpoint/testing/recording-logger';
import { type DtlsSettings, DtlsSocket, type DtlsSocketOptions } from '../dtls-socket';
import { openSslEngine } from '../openssl/context';
import type { Pointer } from '../openssl/library';
import type { DtlsSession } from '../session';
import { TicketKeys } from '../ticket-keys';
import { DtlsClient, type DtlsClientOptions } from './dtls-client';
import { filesOf, selfSigned } from './identities';

type NameOf<N> = N extends `tandem_dtls_${infer Rest}` ? Rest : never;
type DtlsMetricName = NameOf<MetricName>;

const SETTINGS: DtlsSettings = {
  ccm8: true,
  psk: false,
  skipValidity: false,
  mtu: 1_024,
  maxSessions: 100,
  maxSessionsPerAddress: 50,
  maxHandshakes: 20,
  maxHandshakesPerAddress: 10,
  handshakeTimeout: 60_000,
  inactivityTimeout: 86_400_000,
  inactivityCheck: 1_800_000,
  resumptionTime: 86_400,
  sourceDatagrams: 0,
  maxSources: 100,
};

export interface DtlsHarnessOptions {
  readonly settings?: Partial<DtlsSettings>;
  readonly files?: TlsFiles;
  /** A time that runs by itself: see `DtlsClientOptions.repeatAfter`. */
  readonly clock?: Clock;
  readonly prepare?: (handle: Pointer) => void;
  readonly ticketSecret?: Buffer;
  readonly certificates?: DtlsSocketOptions['certificates'];
  readonly guard?: DtlsSocketOptions['guard'];
  readonly lookup?: DtlsSocketOptions['prepare'];
}

/** By the id of a certificate, its subject. */
const names = new Map<string, string>();

const ANY: DtlsSocketOptions['certificates'] = {
  acceptsCertificates: ([own]) => {
    const id = createHash('sha3-256')
      .update(own ?? '')
      .digest('hex');
    if (own) names.set(id, new X509Certificate(own).subject);
    return { ids: [id], until: Number.POSITIVE_INFINITY };
  },
  stillAccepts: () => true,
};

let ownFiles: TlsFiles | undefined;

/** A socket of DTLS sessions that echoes, and clients, on a fake network. */
export class DtlsHarness {
  readonly fake = new FakeClock();
  readonly clock: Clock;
  readonly metrics = new MetricsRegistry();
  readonly network: FakeNetwork;
  readonly socket: DtlsSocket;
  readonly log: LogLine[] = [];
  readonly received: { readonly message: string; readonly session: DtlsSession }[] = [];
  readonly endedSessions: DtlsSession[] = [];
  /** What becomes of a message: it is sent back. */
  onMessage = (message: Buffer, session: DtlsSession): void => this.socket.send(message, session.destination);
  readonly #clients: DtlsClient[] = [];
  #files: TlsFiles;
  readonly #listeners = new Set<(files: TlsFiles) => void>();

  constructor(options: DtlsHarnessOptions = {}) {
    this.clock = options.clock ?? this.fake;
    ownFiles ??= filesOf(selfSigned('server'));
    this.#files = options.files ?? ownFiles;
    this.network = new FakeNetwork(this.clock, new FakeRandom(11));
    const ticketKeys = new TicketKeys(SETTINGS.resumptionTime, () => this.clock.now());
    ticketKeys.use(options.ticketSecret ?? Buffer.alloc(32, 1));
    this.socket = new DtlsSocket({
      socket: this.network.bind('10.0.0.254', 5684),
      engine: openSslEngine(options.prepare),
      files: {
        current: this.#files,
        onChange: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
      settings: { ...SETTINGS, ...options.settings },
      ticketKeys,
      certificates: options.certificates ?? ANY,
      guard: options.guard,
      prepare: options.lookup,
      clock: this.clock,
      random: new FakeRandom(7),
      logger: recordingLogger(this.log, true),
      metrics: this.metrics,
      soon: options.clock ? undefined : this.fake.soon,
    });
    this.socket.receive((message, _address, _port, session) => {
      const of = session as DtlsSession;
      this.received.push({ message: message.toString('latin1'), session: of });
      this.onMessage(message, of);
    });
    this.socket.onSessionEnd((session) => this.endedSessions.push(session));
  }

  bind(port: number, address = '10.0.0.1'): FakeSocket {
    return this.network.bind(address, port);
  }

  /** A client that has not begun yet. */
  client(socket: FakeSocket, options: Partial<DtlsClientOptions> = {}): DtlsClient {
    const client = new DtlsClient({ socket, server: this.socket.local, clock: this.clock, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A client with an open session, on the fake clock. */
  async open(socket: FakeSocket, options: Partial<DtlsClientOptions> = {}): Promise<DtlsClient> {
    const client = this.client(socket, options).start();
    await this.pass();
    if (client.state !== 'open')
      throw new Error(`the session is not open: ${client.state} ${client.connection.failure}`);
    return client;
  }

  /** Time for everything under way to arrive, none for anything to be repeated. */
  pass(): Promise<void> {
    return this.fake.advance(100);
  }

  /** Time for flights to be sent again until the client's handshake is over: OpenSSL waits by real time, everything else by ours. */
  async repeats(client: DtlsClient): Promise<void> {
    for (let n = 0; n < 400 && client.state === 'handshake'; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await this.pass();
    }
  }

  /** New files are there. */
  reload(files: TlsFiles): void {
    this.#files = files;
    for (const listener of this.#listeners) listener(files);
  }

  /** A metric by the part of its name after the prefix: of all its samples with these labels. */
  metric<N extends DtlsMetricName>(name: N, labels?: Partial<LabelsOf<`tandem_dtls_${N}`>>): number {
    const reading = this.metrics.value(`tandem_dtls_${name}`, labels);
    if (reading === undefined) throw new Error(`no metric ${name}`);
    return reading;
  }

  /** How many handshakes led to a session. */
  get opened(): number {
    return (
      this.metric('handshakes_total', { outcome: 'opened' }) + this.metric('handshakes_total', { outcome: 'resumed' })
    );
  }

  get messages(): readonly string[] {
    return this.received.map(({ message }) => message);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.free();
    const closed = this.socket.close();
    let done = false;
    closed.then(() => {
      done = true;
    });
    if (this.clock === this.fake) while (!done) await this.fake.turn();
    await closed;
  }
}

/** The name in the certificate that a session was opened with; undefined: none was. */
export function nameOf({ identity }: DtlsSession): string | undefined {
  const [own] = identity.certificateIds;
  return own && names.get(own);
}
