import path from 'node:path';
import { Child } from '../servers/child';
import type { FromGenerator, GeneratorConfig, RunRequest, RunResult, ToGenerator } from './generator-messages';

/** A load generator in a process of its own, for one server. It costs nothing between its runs. */
export class LoadGenerator {
  private constructor(private readonly child: Child) {}

  /** @param core core it is bound to; undefined: any */
  static async start(config: GeneratorConfig, folder: string, core: number | undefined): Promise<LoadGenerator> {
    const child = new Child({
      command: process.execPath,
      args: [path.join(__dirname, 'generator.js')],
      env: process.env,
      logFile: path.join(folder, 'generator.log'),
      core,
      ipc: true,
    });
    const generator = new LoadGenerator(child);
    await generator.ask({ kind: 'prepare', config });
    return generator;
  }

  async run(request: RunRequest): Promise<RunResult> {
    const reply = await this.ask({ kind: 'run', request });
    if (reply.kind !== 'result') {
      throw new Error(`the generator said ${reply.kind} instead of a result`);
    }
    return reply.result;
  }

  stop(): Promise<void> {
    return this.child.stop();
  }

  private async ask(message: ToGenerator): Promise<FromGenerator> {
    const reply = this.child.message();
    this.child.process.send(message);
    const answer = (await reply) as FromGenerator;
    if (answer.kind === 'broken') {
      throw new Error(`the load generator cannot go on: ${answer.reason}`);
    }
    return answer;
  }
}
