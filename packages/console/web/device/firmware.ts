import type { DeviceInfo, EntityId } from '../devices.js';
import { h, notice } from '../dom.js';
import { read, whileThere } from '../server.js';
import type { User } from '../session.js';
import type { Place } from '../view.js';
import { section } from './section.js';

type Packages = Pick<DeviceInfo, 'firmwareId' | 'softwareId'>;

const KINDS = [
  { prefix: 'fw', name: 'Firmware', assigned: (holder: Packages) => holder.firmwareId },
  { prefix: 'sw', name: 'Software', assigned: (holder: Packages) => holder.softwareId },
] as const;
const MEMBERS = ['state', 'error'] as const;

/** What the device should run, what it says that it runs, and how far it is on the way. */
export function firmwareSection({ user, live, signal }: Place, device: DeviceInfo): HTMLElement {
  const said = notice();
  const parts = KINDS.map(({ prefix, name, assigned }) => {
    const cell = () => h('dd', { class: 'figures' }, '–');
    const wanted = cell();
    const told = cell();
    const current = cell();
    const state = cell();
    const known: Record<string, string> = {};
    const show = () => {
      const version = (which: string) =>
        [known[`${which}_${prefix}_title`], known[`${which}_${prefix}_version`]].filter(Boolean).join(' ') || '–';
      told.textContent = version('target');
      current.textContent = version('current');
      state.textContent = [known[`${prefix}_state`], known[`${prefix}_error`]].filter(Boolean).join(': ') || '–';
    };
    const keys = [
      ...['target', 'current'].flatMap((which) => [`${which}_${prefix}_title`, `${which}_${prefix}_version`]),
      ...MEMBERS.map((member) => `${prefix}_${member}`),
    ];
    live.subscribe(
      { type: 'TIMESERIES', entityId: device.id.id, scope: 'LATEST_TELEMETRY', keys: keys.join(',') },
      {
        refused: (words) => said.say(words, 'bad'),
        data(data) {
          for (const [key, values] of Object.entries(data)) known[key] = values.at(-1)?.[1] ?? '';
          show();
        },
      },
      signal,
    );
    const tell = async () => {
      wanted.textContent = await assignment(user, device, assigned, signal);
    };
    whileThere(signal, tell(), (words) => said.say(words, 'bad'));
    const fact = (title: string, value: HTMLElement) => h('div', {}, h('dt', {}, title), value);
    return h(
      'div',
      { class: 'part', 'data-kind': prefix },
      h('h3', {}, name),
      h(
        'dl',
        { class: 'facts' },
        fact('Assigned', wanted),
        fact('Told to install', told),
        fact('Runs', current),
        fact('State', state),
      ),
    );
  });
  return section('Firmware', 'What it should run, and what it says of itself.', ...parts, said.element);
}

/** What is assigned to the device, or else to its profile, which only administrators may see. */
async function assignment(
  { authority }: User,
  device: DeviceInfo,
  assigned: (holder: Packages) => EntityId | null,
  signal: AbortSignal,
): Promise<string> {
  const own = assigned(device);
  if (own) return packageName(own, signal);
  if (authority !== 'TENANT_ADMIN') return 'that of its profile, if any';
  const ofProfile = assigned(await read<Packages>(`/api/deviceProfile/${device.deviceProfileId.id}`, signal));
  return ofProfile ? `${await packageName(ofProfile, signal)}, by its profile` : 'none';
}

async function packageName(id: EntityId, signal: AbortSignal): Promise<string> {
  const { title, version } = await read<{ title: string; version: string }>(`/api/otaPackage/info/${id.id}`, signal);
  return `${title} ${version}`;
}
