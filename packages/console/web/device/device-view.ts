import { type DeviceInfo, heardText, StateChip } from '../devices.js';
import { freshId, h, notice } from '../dom.js';
import { dateTime } from '../format.js';
import { goTo } from '../router.js';
import { call, Refusal, read, repeat, wordsFor } from '../server.js';
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

const PAUSE = 5000;
/** What is answered for a device that is not there, or not for the one who asks. */
const GONE = [403, 404];
const IS_GONE = 'This device is not here any more: it was deleted, or is no longer yours.';

const wayBack = () => h('p', { class: 'back' }, h('a', { href: '#/devices' }, '‹ Devices'));

/** Everything of one device. */
export async function deviceView(given: Place, id: string): Promise<View> {
  const path = `/api/device/info/${encodeURIComponent(id)}`;
  const device = await read<DeviceInfo>(path, given.signal);
  const there = new AbortController();
  given.signal.addEventListener('abort', () => there.abort());
  const place = { ...given, signal: there.signal };
  const commands = commandsSection(place, id);
  const waiters = waitersPanel(place.signal, id, commands.waiting);
  const sections = [
    telemetrySection(place, id),
    attributesSection(place, id),
    commands.element,
    connectSection(place, id),
    section('Waiting now', 'Its open polls and observations.', waiters),
    firmwareSection(place, device),
    claimSection(place, device),
  ];
  if (place.user.authority === 'TENANT_ADMIN') sections.push(deleteSection(device));
  const element = h('div', { class: 'page device' });
  const look = async () => {
    try {
      await read(path, place.signal);
    } catch (error) {
      if (place.signal.aborted || !(error instanceof Refusal) || !GONE.includes(error.status)) return;
      // Its forms would be refused, and its token stands for nobody.
      there.abort();
      const heading = h('h1', { tabindex: -1 }, device.name);
      element.replaceChildren(wayBack(), heading, h('p', { class: 'notice bad', role: 'alert' }, IS_GONE));
      heading.focus();
    }
  };
  repeat(place.signal, PAUSE, look);
  element.append(header(place, device, look), jumps(sections), ...sections);
  return { title: device.name, element };
}

/** @param look is told when the gateway no longer says anything of the device */
function header({ live, signal }: Place, device: DeviceInfo, look: () => Promise<void>): HTMLElement {
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
      refused: () => void look(),
    },
    signal,
  );
  const aging = setInterval(tell, 1000);
  signal.addEventListener('abort', () => clearInterval(aging));
  const fact = (title: string, value: string) => h('div', {}, h('dt', {}, title), h('dd', {}, value));
  return h(
    'div',
    { class: 'device-head' },
    wayBack(),
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
