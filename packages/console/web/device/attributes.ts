import { choice } from '../devices-view.js';
import { h, notice, table, visible } from '../dom.js';
import { type ExactValue, exactValue, jsonOf, plainNumber } from '../exact-json.js';
import { dateTime } from '../format.js';
import { subscribeInPortions } from '../live-portions.js';
import { longText } from '../long-text.js';
import { call, whileThere, wordsFor } from '../server.js';
import type { Place } from '../view.js';
import { type Attribute, readAttributes } from './read-attributes.js';
import { section } from './section.js';

type Scope = 'SHARED_SCOPE' | 'SERVER_SCOPE' | 'CLIENT_SCOPE';

/** Written by the gateway itself, whatever anybody saves. */
const OF_GATEWAY = ['active', 'lastActivityTime', 'lastConnectTime', 'lastDisconnectTime', 'inactivityAlarmTime'];

const TYPES: Readonly<Record<ExactValue['type'], string>> = {
  text: 'Text',
  number: 'Number',
  boolean: 'Boolean',
  json: 'JSON',
};

export function attributesSection(place: Place, deviceId: string): HTMLElement {
  return section(
    'Attributes',
    'Shared ones reach the device when they are saved.',
    scopePart(
      place,
      deviceId,
      'SHARED_SCOPE',
      'Shared',
      'Nothing is shared yet. What you save here a device that observes or polls is told at once.',
    ),
    scopePart(place, deviceId, 'SERVER_SCOPE', 'Server', 'None. The device never sees these.'),
    scopePart(place, deviceId, 'CLIENT_SCOPE', 'Client', 'None. The device writes these itself.'),
  );
}

function scopePart({ live, signal }: Place, deviceId: string, scope: Scope, title: string, none: string): HTMLElement {
  const path = `/api/plugins/telemetry/DEVICE/${deviceId}`;
  const editable = scope !== 'CLIENT_SCOPE';
  const list = table(`${title} attributes`, ['Key', 'Value', 'Saved', ...(editable ? ['Change'] : [])]);
  const empty = h('p', { class: 'empty' }, 'Reading …');
  const tooLong = h('p', { class: 'hint', hidden: true });
  const keysPath = `${path}/keys/attributes/${scope}`;
  const said = notice();
  /** Typed values are read anew after each change: what comes live is text. */
  let under: Promise<void> | undefined;
  let again = false;

  const load = async (): Promise<void> => {
    do {
      again = false;
      const { found, left } = await readAttributes(`${path}/values/attributes/${scope}`, keysPath, signal);
      if (signal.aborted) return;
      show(found.toSorted((one, other) => (one.key < other.key ? -1 : 1)));
      tooLong.hidden = left.length === 0;
      tooLong.textContent = visible(`Too long to show: ${left.join(', ')}`);
    } while (again);
  };
  const refresh = () => {
    again = true;
    under ??= load().finally(() => {
      under = undefined;
    });
    whileThere(signal, under, failed);
  };

  const failed = (words: string) => {
    // An error is no proof that there is nothing.
    empty.hidden = true;
    said.say(words, 'bad');
  };

  const show = (attributes: readonly Attribute[]) => {
    empty.textContent = none;
    empty.hidden = attributes.length > 0;
    list.element.hidden = attributes.length === 0;
    const focused = document.activeElement?.id;
    list.body.replaceChildren(...attributes.map(row));
    if (focused) document.getElementById(focused)?.focus();
  };

  const isOfGateway = (key: string) => scope === 'SERVER_SCOPE' && OF_GATEWAY.includes(key);

  const row = ({ key, value, lastUpdateTs }: Attribute) => {
    const exact = exactValue(value);
    const isTime = exact.type === 'number' && isOfGateway(key) && key.endsWith('Time');
    const button = (text: string, name: string, click: () => void) =>
      h(
        'button',
        {
          type: 'button',
          class: 'quiet',
          id: `${scope}-${name}-${key}`,
          'aria-label': `${text} ${key}`,
          on: { click },
        },
        text,
      );
    const edit = button('Edit', 'edit', () => editor?.fill(key, exact));
    const remove = button('Delete', 'delete', () => void forget(key));
    return h(
      'tr',
      { 'data-key': key },
      h('td', { 'data-column': 'key' }, h('code', {}, key)),
      h('td', { class: `value ${exact.type}`, 'data-column': 'value' }, shownValue(exact, isTime)),
      h('td', { class: 'figures', 'data-column': 'saved' }, dateTime(plainNumber(lastUpdateTs))),
      editable
        ? h('td', { class: 'actions', 'data-column': 'change' }, ...(isOfGateway(key) ? [] : [edit, remove]))
        : undefined,
    );
  };

  const forget = async (key: string) => {
    try {
      await call(`${path}/${scope}?keys=${encodeURIComponent(key)}`, { method: 'DELETE' });
      said.say(`${key} is deleted.`, 'good');
      editor?.focus();
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    }
  };

  const save = async (key: string, value: ExactValue) => {
    await call(`${path}/${scope}`, { method: 'POST', body: `{${JSON.stringify(key)}:${jsonOf(value)}}` });
    said.say(`${key} is saved.`, 'good');
  };

  const editor = editable ? attributeEditor(title, save, (error) => said.say(wordsFor(error), 'bad')) : undefined;
  subscribeInPortions(
    live,
    { type: 'ATTRIBUTES', entityId: deviceId, scope },
    keysPath,
    { data: refresh, tooLong: refresh, refused: failed },
    signal,
  );
  list.element.hidden = true;
  return h(
    'div',
    { class: 'part', 'data-scope': scope },
    h('h3', {}, title),
    list.element,
    tooLong,
    empty,
    editor?.element,
    said.element,
  );
}

function shownValue({ text }: ExactValue, isTime: boolean): HTMLElement {
  if (!isTime) return longText(text);
  return h('time', { title: text }, Number(text) > 0 ? dateTime(Number(text)) : 'never');
}

function attributeEditor(
  title: string,
  save: (key: string, value: ExactValue) => Promise<void>,
  failed: (error: unknown) => void,
) {
  const key = h('input', {
    required: true,
    placeholder: 'key',
    'aria-label': `Key of a ${title.toLowerCase()} attribute`,
    autocomplete: 'off',
    spellcheck: false,
  });
  const type = choice('text', TYPES);
  type.setAttribute('aria-label', 'Type of the value');
  const value = h('input', { placeholder: 'value', 'aria-label': 'Value', autocomplete: 'off', spellcheck: false });
  let chosen = false;
  type.addEventListener('change', () => {
    chosen = true;
  });
  // Most texts that look like something else are meant as that; whoever chooses a type is not corrected.
  value.addEventListener('input', () => {
    if (!chosen) type.value = likelyType(value.value);
  });
  const element = h(
    'form',
    { class: 'line', 'aria-label': `Save a ${title.toLowerCase()} attribute` },
    key,
    type,
    value,
    h('button', { type: 'submit' }, 'Save'),
  );
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await save(key.value, { type: type.value as ExactValue['type'], text: value.value });
      key.value = '';
      value.value = '';
      chosen = false;
      key.focus();
    } catch (error) {
      failed(error);
    }
  });
  return {
    element,
    focus: () => key.focus(),
    fill(name: string, exact: ExactValue) {
      key.value = name;
      type.value = exact.type;
      value.value = exact.text;
      chosen = true;
      value.focus();
      value.select();
    },
  };
}

function likelyType(text: string): ExactValue['type'] {
  if (/^-?\d+(\.\d+)?$/.test(text)) return 'number';
  if (/^(true|false)$/.test(text)) return 'boolean';
  return /^[[{]/.test(text) ? 'json' : 'text';
}
