import { h, notice, table } from '../dom.js';
import { exactValue, jsonText, plainNumber } from '../exact-json.js';
import { count, dateTime } from '../format.js';
import { longText } from '../long-text.js';
import { call, readExactly, repeat, whileThere, wordsFor } from '../server.js';
import type { Place } from '../view.js';

interface Command {
  readonly id: { readonly id: string };
  readonly createdTime: unknown;
  readonly request: { readonly body: { readonly method: string; readonly params: unknown } };
  readonly response: unknown;
  readonly status: string;
}

const SHOWN = 10;
const PAUSE = 3000;
/** From here on nothing changes any more. */
const FINAL = ['SUCCESSFUL', 'TIMEOUT', 'FAILED', 'EXPIRED'];
const NEWEST = `pageSize=${SHOWN}&page=0&sortProperty=createdTime&sortOrder=DESC`;

/** The commands that are kept for the device until it comes, the newest first. */
export function persistentCommands(
  { user, signal }: Place,
  deviceId: string,
): { readonly element: HTMLElement; refresh(): void } {
  const isTenant = user.authority === 'TENANT_ADMIN';
  const list = table('Persistent commands', ['Made', 'Command', 'Status', 'Answer', ...(isTenant ? ['Change'] : [])]);
  const summary = h('p', { class: 'hint' }, 'Reading …');
  const said = notice();
  let unfinished = true;

  const load = async () => {
    const path = `/api/rpc/persistent/device/${deviceId}?${NEWEST}`;
    const found = await readExactly<{ data: Command[]; totalElements: unknown }>(path, signal);
    if (signal.aborted) return;
    const total = plainNumber(found.totalElements);
    unfinished = found.data.some(({ status }) => !FINAL.includes(status));
    const more = total > SHOWN ? `; the newest ${SHOWN} are shown` : '';
    summary.textContent =
      total === 0
        ? 'None. A persistent command waits for a device that is not there.'
        : `${count(total, 'command')}${more}`;
    list.element.hidden = found.data.length === 0;
    const focused = document.activeElement?.id;
    list.body.replaceChildren(...found.data.map(row));
    if (focused) document.getElementById(focused)?.focus();
  };

  const row = ({ id, createdTime, request, response, status }: Command) => {
    const { method, params } = request.body;
    const remove = () =>
      h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          id: `delete-${id.id}`,
          'aria-label': `Delete ${method}`,
          on: { click: () => void forget(id.id) },
        },
        'Delete',
      );
    return h(
      'tr',
      { 'data-status': status },
      h('td', { class: 'figures', 'data-column': 'made' }, dateTime(plainNumber(createdTime))),
      h('td', { 'data-column': 'command' }, h('code', {}, longText(`${method} ${exactValue(params).text}`))),
      h('td', { 'data-column': 'status' }, status.toLowerCase()),
      h('td', { class: 'value', 'data-column': 'answer' }, response == null ? '' : longText(jsonText(response))),
      isTenant ? h('td', { class: 'actions', 'data-column': 'change' }, remove()) : undefined,
    );
  };

  const forget = async (id: string) => {
    try {
      await call(`/api/rpc/persistent/${id}`, { method: 'DELETE' });
      await load();
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    }
  };
  const refresh = () => whileThere(signal, load(), (words) => said.say(words, 'bad'));

  refresh();
  repeat(signal, PAUSE, async () => {
    // Nobody waits for these: a failure is told when somebody does something.
    if (unfinished) await load().catch(() => {});
  });
  const element = h('div', { class: 'part' }, h('h3', {}, 'Persistent'), summary, list.element, said.element);
  list.element.hidden = true;
  return { element, refresh };
}
