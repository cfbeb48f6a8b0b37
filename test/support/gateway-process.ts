import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type LabelSelection, readingOf, samplesOf } from './exposition';
import { keepLog, useSecretsOfEnvironment, useSecretsOfList } from './used-secrets';

export const ROOT = join(__dirname, '..', '..');
const TANDEM = join(ROOT, 'packages', 'gateway', 'bin', 'tandem.js');

export const ADMIN_EMAIL = 'tenant@thingsboard.org';
export const ADMIN_PASSWORD = 'Correct-Horse-7';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly timestamp: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Environment = Readonly<Record<string, string>>;

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** To be called after all tests of a file: nothing of it runs on or lies about. */
export async function cleanUp(): Promise<void> {
  const exits = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(exits);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** A folder that is there and empty, and gone after the tests. */
export function temporaryFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'tandem-test-'));
  folders.add(folder);
  return folder;
}

/** On a disk, also where other tests have their folders in memory. */
export const temporaryFolderOnDisk = (): string => temporaryFolder(process.env.TANDEM_TEST_DISK);

/** The built command, as a process of its own; its environment is what is given and nothing of ours. */
export class TandemProcess {
  readonly exit: Promise<Exit>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], environment: Environment, cwd: string = ROOT) {
    const child = spawn(process.execPath, [TANDEM, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    // Help shows examples with the token that the README takes, and so do tests.
    const keep = args.includes('--help') ? () => {} : keepLog;
    children.add(child);
    useSecretsOfEnvironment(environment);
    for (const list of args.filter((arg) => arg.endsWith('.csv')))
      useSecretsOfList(readFileSync(resolve(cwd, list), 'utf8'));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      keep(this.pid, text);
      for (const look of [...this.#watchers]) look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      keep(this.pid, text);
    });
    // `close` and not `exit`: only then all it wrote has been read.
    this.exit = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        children.delete(child);
        resolve({ code, signal });
        for (const look of [...this.#watchers]) look();
      });
    });
  }

  get running(): boolean {
    return children.has(this.#child);
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As when the program at the other end of a pipe has ended. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The lines of the log so far, each of which must be JSON. */
  get log(): LogLine[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  }

  get stderrLines(): string[] {
    return this.stderr.split('\n').filter(Boolean);
  }

  /** Resolves with the first log line that says this. */
  logged(message: string): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = this.log.find((candidate) => candidate.message === message);
        if (line === undefined && this.running) return;
        this.#watchers.delete(look);
        if (line) resolve(line);
        else reject(new Error(`tandem ended without "${message}": ${this.stderr}${this.stdout}`));
      };
      this.#watchers.add(look);
      look();
    });
  }
}

/** `tandem serve` on free ports of the loopback interface. */
export class GatewayProcess extends TandemProcess {
  http = 0;
  coap = 0;
  coaps = 0;
  metrics = 0;

  private constructor(
    readonly folder: string,
    settings: Environment,
    args: readonly string[],
  ) {
    super(['serve', ...args], {
      TANDEM_DATA_DIR: folder,
      HTTP_BIND_ADDRESS: '127.0.0.1',
      HTTP_BIND_PORT: '0',
      COAP_BIND_ADDRESS: '127.0.0.1',
      COAP_BIND_PORT: '0',
      COAP_DTLS_BIND_ADDRESS: '127.0.0.1',
      COAP_DTLS_BIND_PORT: '0',
      TANDEM_METRICS_ADDRESS: '127.0.0.1',
      TANDEM_METRICS_PORT: '0',
      TANDEM_ADMIN_PASSWORD: ADMIN_PASSWORD,
      ...settings,
    });
  }

  /** Does not wait for anything. */
  static launch(settings: Environment = {}, folder = join(temporaryFolder(), 'data'), args: readonly string[] = []) {
    return new GatewayProcess(folder, settings, args);
  }

  /** Resolves when it is ready. */
  static async start(settings: Environment = {}, folder?: string, args?: readonly string[]): Promise<GatewayProcess> {
    const gateway = GatewayProcess.launch(settings, folder, args);
    const ready = await gateway.logged('ready');
    gateway.http = Number(ready.http ?? 0);
    gateway.coap = Number(ready.coap ?? 0);
    gateway.coaps = Number(ready.coaps ?? 0);
    gateway.metrics = Number(ready.metrics);
    return gateway;
  }

  /** The same again: on its folder, with other free ports. */
  again(settings: Environment = {}): Promise<GatewayProcess> {
    return GatewayProcess.start(settings, this.folder);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.kill(signal);
    return this.exit;
  }

  /** The sum of all samples of a metric that have these labels. */
  async metric(name: string, labels?: LabelSelection): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.metrics}/metrics`)).text();
    return readingOf(samplesOf(text), name, labels);
  }

  /** Resolves when the metric has that reading: how a test learns that a poll or an observation is open. */
  async settled(name: string, reading: number, labels?: LabelSelection): Promise<void> {
    while ((await this.metric(name, labels)) !== reading) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  openPolls(count: number): Promise<void> {
    return this.settled('tandem_http_open_polls', count);
  }

  observations(count: number): Promise<void> {
    return this.settled('tandem_coap_observations', count);
  }
}
