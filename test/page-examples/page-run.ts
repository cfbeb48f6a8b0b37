import { eventually } from '../support/eventually';
import type { GatewayProcess } from '../support/gateway-process';
import { asOnPage, type Example, isAsOnPage } from './examples';
import { outputOf, type Running, type Shell } from './shell';

interface Waiting {
  readonly running: Running;
  readonly example: Example;
}

/** The blocks of a page in their order, each as it stands there but for the ports. */
export class PageRun {
  /** What waits for the next block. */
  #waiting: readonly Waiting[] = [];

  constructor(
    private readonly gateway: GatewayProcess,
    private readonly shell: Shell,
  ) {}

  /** Expects what the page says that it prints, and of what has waited for this one as well. */
  async run(example: Example): Promise<void> {
    if (example.waits) {
      this.#waiting = [...this.#waiting, await this.#begin(example)];
      return;
    }
    const before = this.#waiting;
    this.#waiting = [];
    const commands = aimedAt(this.gateway, example.commands);
    const run = async () => asOnPage(await outputOf(this.shell.run(commands)), example.output);
    if (example.soon) await eventually(async () => ((await run()) === example.output ? undefined : run()));
    else expect(await run()).toBe(example.output);
    for (const { running, example: earlier } of before) {
      const printed = await outputOf(running, (text) => isAsOnPage(text, earlier.output));
      expect(asOnPage(printed, earlier.output)).toBe(earlier.output);
    }
  }

  /** Resolves when the gateway knows that it waits; behind one that waits already, that is known by what this one brings about. */
  async #begin(example: Example): Promise<Waiting> {
    const before = this.#waiting.at(-1);
    const what = example.commands.startsWith('curl') ? 'tandem_http_open_polls' : 'tandem_coap_observations';
    const known = await this.gateway.metric(what);
    const running = this.shell.runBeside(aimedAt(this.gateway, example.commands));
    if (before === undefined) await this.gateway.settled(what, known + 1);
    else if (before.example.output !== '') {
      // It prints what this one sends: the next block may then answer it.
      await outputOf(before.running, (text) => isAsOnPage(text, before.example.output));
    }
    return { running, example };
  }
}

/** What stands on pages for the ports of a gateway that has the usual ones. */
export const aimedAt = ({ http, coap, metrics }: GatewayProcess, commands: string): string =>
  commands
    .replaceAll('localhost:8080', `127.0.0.1:${http}`)
    .replaceAll('localhost:9090', `127.0.0.1:${metrics}`)
    .replaceAll('coap://127.0.0.1/', `coap://127.0.0.1:${coap}/`);
