import type { Load, MonotonicMicros } from '../load/load';
import type { LoadRecorder } from '../load/load-recorder';
import { type ClientFiles, type DtlsClient, DtlsClientContext } from './dtls-client';

export interface HandshakeLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly files: ClientFiles;
  /** Whether each lane resumes, again and again, the session that it opened first. */
  readonly resumed: boolean;
  /** Handshakes under way at the same time. */
  readonly lanes: number;
  readonly recorder: LoadRecorder;
  readonly now: MonotonicMicros;
}

/** Opens DTLS sessions, each from another port, and closes them at once. Both sides prove themselves with a certificate. */
export class HandshakeLoad implements Load {
  readonly #context: DtlsClientContext;
  #running = false;
  #lanes: Promise<void>[] = [];

  constructor(private readonly options: HandshakeLoadOptions) {
    this.#context = new DtlsClientContext(options.files);
  }

  async start(): Promise<void> {
    const { lanes, resumed } = this.options;
    const firsts = Array.from({ length: resumed ? lanes : 0 }, () => this.#connect());
    await Promise.all(firsts.map((client) => client.opened));
    this.#running = true;
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#run(firsts[lane]?.session()));
    for (const client of firsts) client.close();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#lanes);
  }

  async #run(session: bigint | undefined): Promise<void> {
    const { recorder, now, resumed } = this.options;
    while (this.#running) {
      const began = now();
      const client = this.#connect(session);
      try {
        await client.opened;
        if (client.resumed === resumed) recorder.success(now() - began);
        else recorder.failure(resumed ? 'session not resumed' : 'session resumed');
      } catch (error) {
        recorder.failure(error instanceof Error ? error.message : String(error));
      } finally {
        client.close();
      }
    }
  }

  #connect(session?: bigint): DtlsClient {
    return this.#context.connect(this.options.host, this.options.port, session);
  }
}
