import { claimForm } from './claim-form.js';
import { createForm } from './create-form.js';
import { type DeviceInfo, heardText, StateChip } from './devices.js';
import { field, h, table } from './dom.js';
import { count } from './format.js';
import { deviceHash, hashOf, noteInAddress } from './router.js';
import { read, whileThere } from './server.js';
import type { Place, View } from './view.js';

const PAGE_SIZE = 25;
/** After the last letter typed. */
const SEARCH_PAUSE = 250;

interface DevicePage {
  readonly data: readonly DeviceInfo[];
  readonly totalPages: number;
  readonly totalElements: number;
}

/** Devices by page, with their state as it changes. */
export function devicesView({ user, live, query, signal }: Place): View {
  const search = h('input', { type: 'search', value: query.get('search') ?? '', placeholder: 'by name' });
  const state = choice(query.get('state') ?? '', { '': 'All', active: 'Active', inactive: 'Inactive' });
  const order = choice(query.get('order') ?? '', { '': 'Newest first', name: 'By name', type: 'By profile' });
  let page = Math.max(1, Number(query.get('page')) || 1);
  const summary = h('p', { class: 'hint', role: 'status' }, 'Reading …');
  const list = table('Devices', ['State', 'Name', 'Label', 'Profile', 'Customer', 'Last heard of']);
  const body = h('div', {});
  const pager = h('nav', { class: 'pager', 'aria-label': 'Pages' });
  let turn = new AbortController();
  signal.addEventListener('abort', () => turn.abort());

  let typing: number | undefined;
  const refresh = (asNew: boolean) => {
    // What was typed is in this already.
    clearTimeout(typing);
    const hash = hashOf('/devices', {
      search: search.value.trim(),
      state: state.value,
      order: order.value,
      page: page > 1 ? String(page) : '',
    });
    noteInAddress(hash, asNew);
    turn.abort();
    turn = new AbortController();
    whileThere(turn.signal, load(turn.signal), (words) => {
      summary.textContent = words;
    });
  };

  const load = async (mine: AbortSignal) => {
    const found = await read<DevicePage>(listPath(), mine);
    if (mine.aborted) return;
    if (found.data.length === 0 && page > 1 && found.totalPages > 0) {
      page = found.totalPages;
      return refresh(false);
    }
    const filtered = search.value.trim() !== '' || state.value !== '';
    summary.textContent = `${count(found.totalElements, 'device')}${filtered ? ' found' : ''}`;
    if (found.data.length === 0) body.replaceChildren(filtered ? nothingFound() : noDevices());
    else body.replaceChildren(list.element);
    list.body.replaceChildren(...found.data.map((device) => row(device, mine)));
    showPager(found);
  };

  const listPath = () => {
    const [sortProperty, sortOrder] = order.value === '' ? ['createdTime', 'DESC'] : [order.value, 'ASC'];
    const parameters = new URLSearchParams({
      pageSize: String(PAGE_SIZE),
      page: String(page - 1),
      sortProperty,
      sortOrder,
    });
    if (search.value.trim() !== '') parameters.set('textSearch', search.value.trim());
    if (state.value !== '') parameters.set('active', String(state.value === 'active'));
    const owner = user.authority === 'CUSTOMER_USER' ? `customer/${user.customerId.id}` : 'tenant';
    return `/api/${owner}/deviceInfos?${parameters}`;
  };

  const row = (device: DeviceInfo, mine: AbortSignal) => {
    const chip = new StateChip(device.active);
    const heard = h('td', { class: 'figures', 'data-column': 'heard' }, '–');
    const seen: Record<string, string> = {};
    live.subscribe(
      { type: 'ATTRIBUTES', entityId: device.id.id, scope: 'SERVER_SCOPE', keys: 'active,lastActivityTime' },
      {
        data(data) {
          for (const [key, [value]] of Object.entries(data)) if (value) seen[key] = value[1];
          if (seen.active !== undefined) chip.set(seen.active === 'true');
          heard.textContent = heardText(Number(seen.lastActivityTime ?? 0));
        },
      },
      mine,
    );
    const again = setInterval(() => {
      heard.textContent = heardText(Number(seen.lastActivityTime ?? 0));
    }, 5000);
    mine.addEventListener('abort', () => clearInterval(again));
    return h(
      'tr',
      {},
      h('td', { 'data-column': 'state' }, chip.element),
      h('td', { 'data-column': 'name' }, h('a', { href: deviceHash(device.id.id) }, device.name)),
      h('td', { 'data-column': 'label' }, device.label ?? ''),
      h('td', { 'data-column': 'profile' }, device.type),
      h('td', { 'data-column': 'customer' }, device.customerTitle ?? ''),
      heard,
    );
  };

  const showPager = ({ totalPages }: DevicePage) => {
    pager.hidden = totalPages <= 1;
    const goTo = (to: number) => {
      page = Math.min(totalPages, Math.max(1, Math.round(to) || 1));
      refresh(true);
      heading.focus();
    };
    const step = (text: string, to: number) => {
      const go = () => goTo(to);
      return h(
        'button',
        { type: 'button', disabled: to < 1 || to > totalPages || to === page, on: { click: go } },
        text,
      );
    };
    const number = h('input', { type: 'number', min: 1, max: totalPages, value: page, 'aria-label': 'Page' });
    number.addEventListener('change', () => goTo(Number(number.value)));
    pager.replaceChildren(
      step('First', 1),
      step('Previous', page - 1),
      h('span', { class: 'figures' }, 'Page ', number, ` of ${totalPages.toLocaleString('en')}`),
      step('Next', page + 1),
      step('Last', totalPages),
    );
  };

  const isTenant = user.authority === 'TENANT_ADMIN';
  const nothingFound = () => h('p', { class: 'empty' }, 'No device fits. Search for less, or show all states.');
  const noDevices = () =>
    h(
      'p',
      { class: 'empty' },
      isTenant
        ? 'No devices yet: make one with “New device”. Its page then shows the lines with which it sends its first values.'
        : 'No devices yet: claim one with its name and the secret key on its label, or have an administrator assign one to you.',
    );

  const changed = () => {
    page = 1;
    refresh(false);
  };
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(changed, SEARCH_PAUSE);
  });
  signal.addEventListener('abort', () => clearTimeout(typing));
  state.addEventListener('change', changed);
  order.addEventListener('change', changed);

  const heading = h('h1', { tabindex: -1 }, 'Devices');
  const form = isTenant ? createForm() : claimForm();
  const element = h(
    'div',
    { class: 'page' },
    h('div', { class: 'page-head' }, heading, form.button),
    form.element,
    h(
      'form',
      { class: 'filters', role: 'search', on: { submit: (event) => event.preventDefault() } },
      field('Search', search),
      field('State', state),
      field('Order', order),
      summary,
    ),
    body,
    pager,
  );
  refresh(false);
  return { title: 'Devices', element };
}

export function choice(chosen: string, options: Readonly<Record<string, string>>): HTMLSelectElement {
  const made = h('select', {}, ...Object.entries(options).map(([value, text]) => h('option', { value }, text)));
  made.value = chosen in options ? chosen : (Object.keys(options)[0] ?? '');
  return made;
}
