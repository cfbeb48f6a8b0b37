import { readCommandLine } from '../command-line.js';
import { choice } from '../devices-view.js';
import { field, h, notice } from '../dom.js';
import { clockTime } from '../format.js';
import { longText } from '../long-text.js';
import { call, Refusal, wordsFor } from '../server.js';
import type { Place } from '../view.js';
import { persistentCommands } from './persistent-commands.js';
import { section } from './section.js';

type Way = 'twoway' | 'oneway' | 'persistent';

const WAYS: Readonly<Record<Way, string>> = {
  twoway: 'Two-way',
  oneway: 'One-way',
  persistent: 'Persistent',
};
const HISTORY_MAX = 50;
const LINES_MAX = 200;
const NO_ANSWER = 504;
const NOT_JSON = 406;

export interface CommandsSection {
  readonly element: HTMLElement;
  /** @param connections that wait for commands now; nothing where nobody knows */
  waiting(connections: number | undefined): void;
}

/** A terminal: a line is a command to the device, and what it answers is the next line. */
export function commandsSection(place: Place, deviceId: string): CommandsSection {
  const { signal } = place;
  const log = h('div', { class: 'terminal', role: 'log', 'aria-label': 'Commands and answers', tabindex: 0 });
  const line = h('input', {
    class: 'command',
    'aria-label': 'Command: method, and parameters as JSON',
    placeholder: 'setLed {"on":true}',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: false,
  });
  const way = choice('twoway', WAYS);
  const seconds = h('input', { type: 'number', min: 1, max: 86_400, value: 10, required: true });
  const said = notice();
  const absent = h(
    'p',
    { class: 'hint', hidden: true },
    'The device does not wait for commands now. One that is sent reaches it only if it observes or polls in time; a persistent one is kept.',
  );
  const stored = persistentCommands(place, deviceId);
  const typed: string[] = [];
  let back = 0;
  let sent = 0;

  const tell = (kind: 'sent' | 'answer' | 'bad' | 'note', text: string, ...more: Node[]): HTMLElement => {
    const entry = h(
      'div',
      { class: `entry ${kind}` },
      h('time', {}, clockTime(Date.now())),
      h('span', {}, text, ...more),
    );
    log.append(entry);
    while (log.children.length > LINES_MAX) log.firstElementChild?.remove();
    log.scrollTop = log.scrollHeight;
    return entry;
  };

  const send = async (number: string, kind: Way, method: string, params: string, life: number) => {
    const begun = performance.now();
    const path = `/api/rpc/${kind === 'oneway' ? 'oneway' : 'twoway'}/${deviceId}`;
    const persistent = kind === 'persistent' ? `,"persistent":true,"expirationTime":${Date.now() + life * 1000}` : '';
    // The parameters as they were typed: digits of large numbers stay.
    const body = `{"method":${JSON.stringify(method)},"params":${params},"timeout":${life * 1000}${persistent}}`;
    try {
      const answer = await call(path, { method: 'POST', body, signal });
      const took = `${Math.round(performance.now() - begun)} ms`;
      if (kind === 'persistent') {
        tell('note', `${number} kept for the device for ${life} s: see below`);
        stored.refresh();
      } else if (kind === 'oneway') tell('answer', `${number} delivered, ${took}`);
      else tell('answer', `${number} `, longText(answer === '' ? '(empty)' : answer), h('small', {}, `   ${took}`));
    } catch (error) {
      if (!signal.aborted) tell('bad', `${number} ${reason(error, life)}`);
    }
  };

  const submit = (event: Event) => {
    event.preventDefault();
    said.say('');
    try {
      const { method, params } = readCommandLine(line.value);
      const kind = way.value as Way;
      typed.push(line.value);
      if (typed.length > HISTORY_MAX) typed.shift();
      back = typed.length;
      // Answers come in any order.
      const number = `#${++sent}`;
      const how = kind === 'twoway' ? '' : `   ${WAYS[kind].toLowerCase()}`;
      tell('sent', `${number} `, longText(`${method} ${params}`), h('small', {}, how));
      line.value = '';
      void send(number, kind, method, params, Number(seconds.value));
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    }
  };

  line.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined || typed.length === 0) return;
    event.preventDefault();
    back = Math.min(typed.length, Math.max(0, back + step));
    line.value = typed[back] ?? '';
  });

  tell('note', 'A method, a space, its parameters as JSON. Arrow up brings back what you sent.');
  const form = h(
    'form',
    { class: 'prompt', 'aria-label': 'Send a command', on: { submit } },
    h(
      'div',
      { class: 'prompt-line' },
      h('span', { class: 'mark', 'aria-hidden': 'true' }, '›'),
      line,
      h('button', { type: 'submit', class: 'main' }, 'Send'),
    ),
    h('div', { class: 'line' }, field('Way', way), field('Seconds to live', seconds)),
    absent,
    said.element,
  );
  const element = section('Commands', 'RPC to the device.', h('div', { class: 'console' }, log, form), stored.element);
  return {
    element,
    waiting(connections) {
      absent.hidden = connections !== 0;
    },
  };
}

function reason(error: unknown, life: number): string {
  if (!(error instanceof Refusal)) return wordsFor(error);
  if (error.status === NO_ANSWER) return `no answer within ${life} s, or the device is not connected`;
  if (error.status === NOT_JSON) return 'the device answered with something that is not JSON';
  return error.message;
}
