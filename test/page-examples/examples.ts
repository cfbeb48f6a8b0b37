import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/gateway-process';

/** A block of commands on a page of the documentation, and what the page says that they print. */
export interface Example {
  /** Under which heading it stands. */
  readonly heading: string;
  readonly commands: string;
  /** What is printed; `...` stands for any text within a line. */
  readonly output: string;
  /** `sh waits`: it waits for something, which the next block brings about, and prints when that has happened. */
  readonly waits: boolean;
  /** `sh soon`: it prints that a moment later, so it is run until it does. */
  readonly soon: boolean;
  /** `sh runs`: it goes on until somebody ends it; that may be once it has printed this, or without output once a gateway is ready. */
  readonly runs: boolean;
}

const BLOCK =
  /^##+ (?<heading>.+)$|^```sh(?: (?<how>waits|soon|runs))?\n(?<commands>[\s\S]*?)^```\n(?:\n```text\n(?<output>[\s\S]*?)^```\n)?/gm;

/** The ```sh blocks of a page in their order. A ```text block right behind one is its output; without one it prints nothing. */
export function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  let heading = '';
  for (const { groups = {} } of page.matchAll(BLOCK)) {
    if (groups.heading !== undefined) heading = groups.heading;
    else {
      const { commands = '', output = '', how } = groups;
      const marks = { waits: how === 'waits', soon: how === 'soon', runs: how === 'runs' };
      examples.push({ heading, commands, output: output.trim(), ...marks });
    }
  }
  return examples;
}

/**
 * The examples of a page, for the tests of this file, which have to run all of them: what is never looked at fails after them.
 * @param page its path in the repository
 */
export function examplesOn(page: string): Example[] {
  const examples = examplesOf(readFileSync(join(ROOT, page), 'utf8'));
  const left = new Set(examples.map(({ commands }) => commands));
  afterAll(() => expect({ page, neverRun: [...left] }).toEqual({ page, neverRun: [] }));
  return examples.map(({ commands, ...rest }) => ({
    ...rest,
    get commands() {
      left.delete(commands);
      return commands;
    },
  }));
}

/** For the list of tests. */
export function titleOf({ heading, commands, waits }: Example): string {
  return `${heading}: ${waits ? 'waits for the next, ' : ''}${commands.split('\n')[0]?.slice(0, 80)}`;
}

/** Whether this is what the page says: bold type and white space around it do not count. */
export function isAsOnPage(printed: string, output: string): boolean {
  const exactly = output.split('...').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${exactly.join('[^\\n]*')}$`).test(plain(printed));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told of colours by control characters
export const plain = (printed: string): string => printed.replace(/\u001b\[\d*m/g, '').trim();

/** The text of the page where that holds, so that a failure shows both. */
export const asOnPage = (printed: string, output: string): string =>
  isAsOnPage(printed, output) ? output : plain(printed);
