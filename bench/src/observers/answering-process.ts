import path from 'node:path';
import { Child } from '../servers/child';

/** What it sends back for each question. */
type Reply =
  | { readonly kind: 'answer'; readonly answer: unknown }
  | { readonly kind: 'broken'; readonly reason: string };

export interface AnsweringProcessOptions {
  /** Name of its script in this folder, which calls `answerQuestions`. */
  readonly script: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Takes stdout and stderr. */
  readonly logFile: string;
}

/** A process of the bench that answers what it is asked, one question at a time. */
export class AnsweringProcess<Question extends object> {
  readonly #script: string;
  readonly #child: Child;

  constructor({ script, env, logFile }: AnsweringProcessOptions) {
    this.#script = script;
    this.#child = new Child({
      command: process.execPath,
      args: [path.join(__dirname, script)],
      env: { ...process.env, ...env },
      logFile,
      core: undefined,
      ipc: true,
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Throws when it cannot answer, or has ended. */
  async ask(question: Question): Promise<unknown> {
    const reply = this.#child.message();
    this.#child.process.send(question);
    const given = (await reply) as Reply;
    if (given.kind === 'broken') throw new Error(`${this.#script}: ${given.reason}`);
    return given.answer;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** The other side, in its script; ends with the bench. */
export function answerQuestions<Question>(answer: (question: Question) => Promise<unknown>): void {
  const tell = (reply: Reply): void => {
    process.send?.(reply);
  };
  process.on('disconnect', () => process.exit(0));
  process.on('message', (question: Question) => {
    answer(question).then(
      (given) => tell({ kind: 'answer', answer: given }),
      (error: unknown) => tell({ kind: 'broken', reason: error instanceof Error ? error.message : String(error) }),
    );
  });
}
