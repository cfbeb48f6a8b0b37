import { type DeviceInfo, heardText, StateChip } from '../devices.js';
import { freshId, h, notice } from '../dom.js';
import { dateTime } from '../format.js';
import { goTo } from '../router.js';
import { call, read, wordsFor } from '../server.js';
import type { Place, View } from '../view.js';
import { waitersPanel } from '../waiters.js';
import { attributesSection } from './attributes.js';
import { claimSection } from './claim.js';
import { commandsSection } from './commands.js';
import { connectSection } from './connect.js';
import { firmwareSection } from './firmware.js';
import { section } from './section.js';
import { telemetrySection } from './telemetry.js';

/** Nobody means it earlier, in milliseconds. */
const SECOND_THOUGHT = 800;

/** Everything of one device. */
export async function deviceView(place: Place, id: string): Promise<View> {
  const device = await read<DeviceInfo>(`/api/device/info/${encodeURIComponent(id)}`, place.signal);
  const sections = [
    telemetrySection(place, id),
    attributesSection(place, id),
    commandsSection(place, id),
    connectSection(place, id),
    section('Waiting now', 'Its open polls and observations.', waitersPanel(place.signal, id)),
    firmwareSection(place, device),
    claimSection(place, device),
  ];
  if (place.user.authority === 'TENANT_ADMIN') sections.push(deleteSection(device));
  const element = h('div', { class: 'page device' }, header(place, device), jumps(sections), ...sections);
  return { title: device.name, element };
}

function header({ live, signal }: Place, device: DeviceInfo): HTMLElement {
  const chip = new StateChip(device.active);
  const heard = h('dd', { class: 'figures' }, '–');
  let last = 0;
  const tell = () => {
    heard.textContent = heardText(last);
  };
  live.subscribe(
    { type: 'ATTRIBUTES', entityId: device.id.id, scope: 'SERVER_SCOPE', keys: 'active,lastActivityTime' },
    {
      data({ active, lastActivityTime }) {
        if (active?.[0]) chip.set(active[0][1] === 'true');
        if (lastActivityTime?.[0]) last = Number(lastActivityTime[0][1]);
        tell();
      },
    },
    signal,
  );
  const aging = setInterval(tell, 1000);
  signal.addEventListener('abort', () => clearInterval(aging));
  const fact = (title: string, value: string) => h('div', {}, h('dt', {}, title), h('dd', {}, value));
  return h(
    'div',
    { class: 'device-head' },
    h('p', { class: 'back' }, h('a', { href: '#/devices' }, '‹ Devices')),
    h('div', { class: 'page-head' }, h('h1', { tabindex: -1 }, device.name), chip.element),
    h(
      'dl',
      { class: 'facts' },
      fact('Label', device.label || '–'),
      fact('Profile', device.type),
      fact('Customer', device.customerTitle ?? '–'),
      h('div', {}, h('dt', {}, 'Last heard of'), heard),
      fact('Made', dateTime(device.createdTime)),
      h('div', {}, h('dt', {}, 'Id'), h('dd', {}, h('code', {}, device.id.id))),
    ),
  );
}

/** The page is long: ways to its parts. */
function jumps(sections: readonly HTMLElement[]): HTMLElement {
  const jump = (to: HTMLElement) => {
    const heading = to.querySelector('h2');
    const go = () => {
      to.scrollIntoView();
      heading?.focus({ preventScroll: true });
    };
    return h('button', { type: 'button', class: 'quiet', on: { click: go } }, heading?.textContent ?? '');
  };
  return h('nav', { class: 'jumps', 'aria-label': 'On this page' }, ...sections.map(jump));
}

function deleteSection(device: DeviceInfo): HTMLElement {
  const said = notice();
  const first = h('button', { type: 'button' }, 'Delete the device …');
  const sure = h('button', { type: 'button', class: 'danger' }, `Delete ${device.name} for good`);
  const keep = h('button', { type: 'button' }, 'Keep it');
  const about = h('p', { id: freshId() }, 'What it has sent, its attributes and its commands go with it.');
  const dialog = h(
    'dialog',
    { 'aria-label': 'Delete the device?', 'aria-describedby': about.id },
    h('h2', {}, 'Delete the device?'),
    about,
    h('p', { class: 'actions' }, keep, sure),
    said.element,
  );
  let ready: number | undefined;
  first.addEventListener('click', () => {
    // The second click of a double click falls on whatever has come under the pointer.
    sure.disabled = true;
    clearTimeout(ready);
    ready = setTimeout(() => {
      sure.disabled = false;
    }, SECOND_THOUGHT);
    said.say('');
    dialog.showModal();
    keep.focus();
  });
  keep.addEventListener('click', () => dialog.close());
  sure.addEventListener('click', async () => {
    try {
      await call(`/api/device/${device.id.id}`, { method: 'DELETE' });
      goTo('#/devices');
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    }
  });
  return section('Delete', 'With all it has sent.', h('p', { class: 'actions' }, first), dialog);
}
