import type { Clock } from '@tandem/core';

export type Event = 'telemetry' | 'attributes' | 'command' | 'answer' | 'firmware' | 'provision';

/** What a simulated fleet did, a line each as it happens, and counted. No token is in it. */
export class Journal {
  readonly counts = { sent: 0, updates: 0, commands: 0, refused: 0 };

  /** @param json lines for programs instead of people */
  constructor(
    private readonly clock: Clock,
    private readonly json: boolean,
    private readonly print: (line: string) => void,
  ) {}

  /** @param text what was sent, as it went out; @param code what was answered */
  sent(device: string, event: Event, text: string, code: string): void {
    this.#line(device, '>', event, text, code);
  }

  received(device: string, event: Event, text: string): void {
    this.#line(device, '<', event, text);
  }

  /** Something that is not as it should be, in words. */
  trouble(device: string, words: string): void {
    const at = new Date(this.clock.now()).toISOString();
    if (this.json) this.print(JSON.stringify({ at, device, trouble: words }));
    else this.print(`${at.slice(11, 23)} ${device} ! ${words}`);
  }

  summary(): void {
    const { sent, updates, commands } = this.counts;
    if (this.json) this.print(JSON.stringify({ summary: this.counts }));
    else this.print(`${sent} sent, ${many(updates, 'update')} of attributes, ${many(commands, 'command')}`);
  }

  #line(device: string, direction: '>' | '<', event: Event, text: string, code?: string): void {
    const at = new Date(this.clock.now()).toISOString();
    if (!this.json) {
      this.print(`${at.slice(11, 23)} ${device} ${direction} ${event} ${text}${code === undefined ? '' : ` ${code}`}`);
      return;
    }
    const head = { at, device, [direction === '>' ? 'sent' : 'received']: event, code };
    // As it was on the wire: a reader of JSON would make 42 of 42.0.
    this.print(`${JSON.stringify(head).slice(0, -1)},"body":${isJson(text) ? text : JSON.stringify(text)}}`);
  }
}

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return !text.includes('\n');
  } catch {
    return false;
  }
}
