import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually';
import { freeTcpPort, freeUdpPort } from '../support/free-port';
import { ROOT, temporaryFolder } from '../support/gateway-process';
import { asOnPage, type Example, isAsOnPage } from './examples';
import { outputOf, type RunningBeside, Shell } from './shell';

const TANDEM = join(ROOT, 'packages', 'gateway', 'bin', 'tandem.js');
const READY = '"message":"ready"';
/** What a clone has beside a built gateway. */
const FOLDERS = ['deploy', 'examples', 'proto'];

/** The shell of somebody who runs a gateway: in a clone, with nothing of this machine but its programs. */
export class OperatorShell {
  #gateway: RunningBeside | undefined;

  private constructor(
    readonly folder: string,
    readonly shell: Shell,
    private readonly aimed: (text: string) => string,
  ) {}

  /** @param redis where pages say `redis://10.0.0.5` */
  static async open(redis?: { readonly url: string; readonly port: number }): Promise<OperatorShell> {
    const folder = temporaryFolder();
    const [http, metrics, coap] = [await freeTcpPort(), await freeTcpPort(), await freeUdpPort()];
    for (const name of ['bin', 'home']) mkdirSync(join(folder, name));
    for (const name of FOLDERS) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const ports = `HTTP_BIND_PORT=${http} COAP_BIND_PORT=${coap} TANDEM_METRICS_PORT=${metrics}`;
    const program = (name: string, lines: string) =>
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
    program(
      'tandem',
      `case "$1" in serve | doctor) export ${ports} HTTP_BIND_ADDRESS=127.0.0.1 COAP_BIND_ADDRESS=127.0.0.1 ;; esac
exec '${process.execPath}' '${TANDEM}' "$@"`,
    );
    // What is built and installed is that of these tests.
    program('npm', `case "$*" in ci | install | "run build") ;; start) exec tandem serve ;; *) exit 1 ;; esac`);
    program('redis-cli', `PATH='${process.env.PATH}'; exec redis-cli -p ${redis?.port ?? 0} "$@"`);
    const shell = new Shell(folder, {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      HOME: join(folder, 'home'),
    });
    const aimed = (text: string) =>
      text
        .replaceAll('node packages/gateway/bin/tandem.js', 'tandem')
        .replaceAll('localhost:8080', `127.0.0.1:${http}`)
        .replaceAll('localhost:9090', `127.0.0.1:${metrics}`)
        .replaceAll('coap://127.0.0.1/', `coap://127.0.0.1:${coap}/`)
        .replaceAll('redis://10.0.0.5', redis?.url ?? 'redis://10.0.0.5');
    return new OperatorShell(folder, shell, aimed);
  }

  /** Starts a gateway as `npm start` does: before a page that needs one. */
  start(settings = ''): Promise<void> {
    return this.#serve(`${settings} npm start\n`);
  }

  /** Runs it without a look at what it prints. @returns that */
  run(commands: string): Promise<string> {
    return outputOf(this.shell.run(this.aimed(commands)));
  }

  /** Expects what stands on the page. */
  async expect({ commands, output, runs, soon }: Example): Promise<void> {
    if (runs && output === '') return this.#serve(commands);
    if (runs) return this.#expectOf(commands, output);
    let printed = await this.run(commands);
    if (soon) {
      await eventually(async () => {
        if (isAsOnPage(printed, output)) return undefined;
        printed = await this.run(commands);
        return printed;
      });
    }
    expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
  }

  /** Stops the gateway that runs. */
  async stop(): Promise<void> {
    await this.#gateway?.end();
    this.#gateway = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.shell.close();
  }

  /** A gateway, in the place of the one before. */
  async #serve(commands: string): Promise<void> {
    await this.stop();
    this.#gateway = this.shell.runBeside(this.aimed(commands));
    const printed = await outputOf(this.#gateway, (text) => text.includes(READY));
    expect({ commands, printed }).toEqual({ commands, printed: expect.stringContaining(READY) });
  }

  async #expectOf(commands: string, output: string): Promise<void> {
    const program = this.shell.runBeside(this.aimed(commands));
    const printed = await outputOf(program, (text) => isAsOnPage(text, output));
    await program.end();
    expect({ commands, printed: asOnPage(printed, output) }).toEqual({ commands, printed: output });
  }
}
