import { Chart } from '../chart.js';
import type { Point } from '../chart-scale.js';
import { choice } from '../devices-view.js';
import { field, h, notice, table } from '../dom.js';
import { age, dateTime } from '../format.js';
import type { LiveData } from '../live.js';
import { subscribeInPortions } from '../live-portions.js';
import { longText } from '../long-text.js';
import { read, whileThere } from '../server.js';
import type { Place } from '../view.js';
import { section } from './section.js';

const MINUTE = 60_000;
const SPANS: Readonly<Record<string, string>> = {
  [5 * MINUTE]: '5 minutes',
  [60 * MINUTE]: 'Hour',
  [24 * 60 * MINUTE]: 'Day',
  [7 * 24 * 60 * MINUTE]: 'Week',
  [30 * 24 * 60 * MINUTE]: 'Month',
  [365 * 24 * 60 * MINUTE]: 'Year',
};
/** From this span on the history is averages. */
const AVERAGED = 24 * 60 * MINUTE;
const AVERAGES = 600;
const HISTORY_MAX = 3000;
/** Drawn before somebody chooses. */
const CHARTS_AT_FIRST = 2;
/** What they tell has a place of its own. */
const OF_FIRMWARE = /^(?:fw|sw|(?:target|current)_[fs]w)_/;

interface Key {
  readonly value: HTMLElement;
  readonly age: HTMLElement;
  readonly pick: HTMLInputElement;
  at: number;
  /** Of the latest value. */
  text: string;
  tooLong: boolean;
  chart?: Chart;
  end?: AbortController;
}

/** What the device has sent: the latest value of each key, and the course of those that are numbers. */
export function telemetrySection({ live, signal }: Place, deviceId: string): HTMLElement {
  const keys = new Map<string, Key>();
  const span = choice(String(5 * MINUTE), SPANS);
  const charts = h('div', { class: 'charts' });
  const list = table('Latest values', ['Key', 'Value', 'Age', 'Chart']);
  const empty = h('p', { class: 'empty' }, 'Reading …');
  const tellEmpty = () => {
    empty.textContent = 'No telemetry yet: “Connect” has a line that sends the first values. They appear here at once.';
  };
  const failed = (words: string) => {
    // An error is no proof that there is nothing.
    empty.hidden = true;
    said.say(words, 'bad');
  };
  const said = notice();
  const range = field('Time shown', span);
  range.hidden = true;
  list.element.hidden = true;

  const newKey = (name: string): Key => {
    const pick = h('input', { type: 'checkbox', 'aria-label': `Chart of ${name}` });
    const key: Key = {
      value: h('td', { class: 'value', 'data-column': 'value' }),
      age: h('td', { class: 'figures', 'data-column': 'age' }),
      pick,
      at: 0,
      text: '',
      tooLong: false,
    };
    pick.addEventListener('change', () => draw(name, key));
    const row = h(
      'tr',
      { 'data-key': name },
      h('td', { 'data-column': 'key' }, h('code', {}, name)),
      key.value,
      key.age,
      h('td', { 'data-column': 'chart' }, pick),
    );
    // By name, wherever it came in.
    const after = [...keys.keys()].filter((other) => other > name).sort()[0];
    const next = after === undefined ? null : list.body.querySelector(`tr[data-key="${CSS.escape(after)}"]`);
    list.body.insertBefore(row, next);
    keys.set(name, key);
    empty.hidden = true;
    list.element.hidden = false;
    range.hidden = false;
    return key;
  };

  const draw = (name: string, key: Key) => {
    key.end?.abort();
    key.chart?.element.remove();
    key.chart = undefined;
    if (!key.pick.checked) return;
    const end = new AbortController();
    signal.addEventListener('abort', () => end.abort());
    key.end = end;
    const width = Number(span.value);
    const chart = new Chart(name, width, end.signal);
    key.chart = chart;
    charts.append(chart.element);
    chart.latest(key.at, key.text);
    whileThere(
      end.signal,
      history(name, width, end.signal).then((points) => chart.show(points)),
      (words) => said.say(words, 'bad'),
    );
  };

  const history = async (name: string, width: number, mine: AbortSignal): Promise<Point[]> => {
    const now = Date.now();
    const parameters = new URLSearchParams({ keys: name, startTs: String(now - width), endTs: String(now + MINUTE) });
    if (width >= AVERAGED) {
      parameters.set('agg', 'AVG');
      parameters.set('interval', String(Math.ceil(width / AVERAGES)));
    } else parameters.set('limit', String(HISTORY_MAX));
    const found = await read<Record<string, Array<{ ts: number; value: string }>>>(
      `/api/plugins/telemetry/DEVICE/${deviceId}/values/timeseries?${parameters}`,
      mine,
    );
    return (found[name] ?? [])
      .map(({ ts, value }) => ({ at: ts, value: Number(value) }))
      .filter(({ value }) => Number.isFinite(value))
      .sort((one, other) => one.at - other.at);
  };

  /** At first as much time as it takes to see something. */
  const fitSpan = (data: LiveData) => {
    if (spanChosen || keys.size > 0) return;
    const times = Object.entries(data).flatMap(([name, values]) =>
      OF_FIRMWARE.test(name) ? [] : values.filter(([, text]) => isNumber(text)).map(([at]) => at),
    );
    if (times.length === 0) return;
    const past = Date.now() - Math.max(...times);
    const widths = Object.keys(SPANS).map(Number);
    span.value = String(widths.find((width) => width > past) ?? widths.at(-1));
  };

  const isNumber = (text: string) => text.trim() !== '' && Number.isFinite(Number(text));

  subscribeInPortions(
    live,
    { type: 'TIMESERIES', entityId: deviceId, scope: 'LATEST_TELEMETRY' },
    `/api/plugins/telemetry/DEVICE/${deviceId}/keys/timeseries`,
    {
      data(data) {
        tellEmpty();
        fitSpan(data);
        for (const [name, values] of Object.entries(data)) {
          const key = keys.get(name) ?? newKey(name);
          for (const [at, text] of values) {
            if (isNumber(text)) key.chart?.add({ at, value: Number(text) });
            if (at < key.at) continue;
            key.at = at;
            if (key.text !== text || key.tooLong) key.value.replaceChildren(longText(text));
            key.text = text;
            key.tooLong = false;
            if (isNumber(text)) key.chart?.latest(at, text);
            key.age.title = dateTime(at);
            key.pick.disabled = !isNumber(text) && !key.pick.checked;
          }
          key.age.textContent = age(key.at, Date.now());
          const drawn = [...keys.values()].filter(({ chart }) => chart).length;
          const fits = isNumber(key.text) && !OF_FIRMWARE.test(name);
          if (!chosen && drawn < CHARTS_AT_FIRST && !key.chart && fits) {
            key.pick.checked = true;
            draw(name, key);
          }
        }
      },
      tooLong(name) {
        const key = keys.get(name) ?? newKey(name);
        key.tooLong = true;
        key.text = '';
        key.value.replaceChildren(h('small', {}, 'too long to show'));
        key.age.textContent = '';
        key.pick.disabled = !key.pick.checked;
      },
      refused: failed,
    },
    signal,
  );

  let chosen = false;
  list.body.addEventListener('change', () => {
    chosen = true;
  });
  let spanChosen = false;
  span.addEventListener('change', () => {
    spanChosen = true;
    for (const [name, key] of keys) if (key.pick.checked) draw(name, key);
  });
  const aging = setInterval(() => {
    for (const key of keys.values()) if (!key.tooLong) key.age.textContent = age(key.at, Date.now());
  }, 1000);
  signal.addEventListener('abort', () => clearInterval(aging));

  return section(
    'Telemetry',
    'As it comes in.',
    range,
    charts,
    h('div', { class: 'scroll latest' }, list.element),
    empty,
    said.element,
  );
}
