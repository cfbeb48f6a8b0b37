import { h, table } from './dom.js';
import { count } from './format.js';
import { deviceHash } from './router.js';
import { Refusal, read, repeat, wordsFor } from './server.js';

interface Waiter {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly protocol: 'http' | 'coap' | 'coaps';
  readonly kind: 'attributes' | 'rpc';
  readonly peer: string;
  readonly ageSeconds: number;
  readonly state: string;
  readonly notifications: number;
  readonly process: string;
}

interface Waiters {
  readonly total: { readonly polls: number; readonly observations: number };
  readonly waiters: readonly Waiter[];
  readonly processes: number;
  /** Processes that did not answer in time: theirs are missing. */
  readonly unanswered: number;
}

const PAUSE = 2500;
const SHOWN = 200;
const TOO_OFTEN = 429;

/**
 * Who waits at the gateway now: polls over HTTP and observations over CoAP.
 * @param deviceId of one device alone
 * @param heard is told how many wait for commands; nothing where nobody knows
 */
export function waitersPanel(
  signal: AbortSignal,
  deviceId?: string,
  heard: (forCommands: number | undefined) => void = () => {},
): HTMLElement {
  const ofAll = deviceId === undefined;
  const summary = h('p', { class: 'hint' }, 'Reading …');
  const columns = [...(ofAll ? ['Device'] : []), 'Protocol', 'Waits for', 'From', 'Since', 'State', 'Updates sent'];
  const list = table('Who waits now', [...columns, 'Process']);
  const body = h('div', {});

  const row = (waiter: Waiter) => {
    const cells: ReadonlyArray<readonly [string, string | Node]> = [
      ['protocol', waiter.protocol],
      ['kind', waiter.kind === 'rpc' ? 'commands' : 'attributes'],
      ['peer', waiter.peer],
      ['since', `${waiter.ageSeconds.toFixed(0)} s`],
      ['state', waiter.state],
      ['sent', waiter.protocol === 'http' ? '' : String(waiter.notifications)],
      ['process', waiter.process],
    ];
    const device = h('a', { href: deviceHash(waiter.deviceId) }, waiter.deviceName);
    const all = ofAll ? [['device', device] as const, ...cells] : cells;
    return h('tr', {}, ...all.map(([name, content]) => h('td', { 'data-column': name }, content)));
  };

  const show = ({ total, waiters, processes, unanswered }: Waiters) => {
    const more = waiters.length < total.polls + total.observations ? `; the first ${waiters.length} are shown` : '';
    const silent = unanswered > 0 ? `; ${count(unanswered, 'process', 'processes')} did not answer` : '';
    summary.textContent = `${count(total.polls, 'poll')}, ${count(total.observations, 'observation')} at ${count(processes, 'process', 'processes')}${silent}${more}`;
    const focused = body.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : undefined;
    if (waiters.length === 0) body.replaceChildren(h('p', { class: 'empty' }, nobody(ofAll)));
    else body.replaceChildren(list.element);
    list.body.replaceChildren(...waiters.map(row));
    if (focused) body.querySelector<HTMLElement>(`a[href="${focused}"]`)?.focus();
  };

  const query = ofAll ? `limit=${SHOWN}` : `limit=${SHOWN}&deviceId=${deviceId}`;
  repeat(signal, PAUSE, async () => {
    try {
      const found = await read<Waiters>(`/api/tandem/waiters?${query}`, signal);
      if (signal.aborted) return;
      show(found);
      heard(found.waiters.filter(({ kind }) => kind === 'rpc').length);
    } catch (error) {
      if (signal.aborted || (error instanceof Refusal && error.status === TOO_OFTEN)) return;
      heard(undefined);
      // An error is no proof that nobody waits.
      body.querySelector('.empty')?.remove();
      summary.textContent = `${wordsFor(error)}${list.body.children.length > 0 ? ' What is shown may be old.' : ''}`;
    }
  });
  return h('div', { class: 'waiters' }, summary, body);
}

const nobody = (ofAll: boolean): string =>
  ofAll
    ? 'Nobody waits. Devices appear here as soon as they observe over CoAP or poll over HTTP; a device’s page has the lines to try it.'
    : 'It does not wait now: an update reaches it when it observes or polls again. The lines under “Connect” do so.';
