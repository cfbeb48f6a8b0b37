import { deviceView } from './device/device-view.js';
import { devicesView } from './devices-view.js';
import { h, visible } from './dom.js';
import { Live } from './live.js';
import { liveView } from './live-view.js';
import { loginView } from './login-view.js';
import { currentRoute, type Route } from './router.js';
import { read, wordsFor } from './server.js';
import { accessToken, onSessionEnd, type User } from './session.js';
import { Shell } from './shell.js';
import { tenantsView } from './tenants-view.js';
import type { Place, View } from './view.js';

const live = new Live((state, pause) => shell.tellLive(state, pause));
const shell = new Shell(() => live.connectNow());
let user: User | undefined;
let shown = new AbortController();

onSessionEnd((why) => {
  user = undefined;
  live.stop();
  void show(why);
});
addEventListener('hashchange', () => void show());
void show();

/** Shows what the address says, once it is known who asks. */
async function show(why?: string): Promise<void> {
  shown.abort();
  const mine = new AbortController();
  shown = mine;
  const { signal } = mine;
  try {
    if (accessToken() === undefined)
      return put(
        loginView(why, () => void show()),
        undefined,
      );
    user ??= await read<User>('/api/auth/user', signal);
    if (signal.aborted) return;
    const route = currentRoute();
    const section = route.path[0] ?? sectionsOf(user)[0];
    const view = await viewOf(route, section, { user, live, query: route.query, signal });
    if (!signal.aborted) put(view, section);
  } catch (error) {
    if (!signal.aborted) put(failed(wordsFor(error)), undefined);
  }
}

const sectionsOf = ({ authority }: User): readonly string[] =>
  authority === 'SYS_ADMIN' ? ['tenants'] : ['devices', 'live'];

async function viewOf({ path }: Route, section: string | undefined, place: Place): Promise<View> {
  const [, id] = path;
  const theirs = sectionsOf(place.user).includes(section ?? '');
  if (section === 'tenants' && theirs) return tenantsView(place);
  if (section === 'live' && theirs) return liveView(place);
  if (section === 'devices' && theirs) return id === undefined ? devicesView(place) : deviceView(place, id);
  return failed('There is no such page.');
}

function failed(words: string): View {
  const again = h('button', { type: 'button', on: { click: () => void show() } }, 'Try again');
  const element = h(
    'div',
    { class: 'page' },
    h('h1', { tabindex: -1 }, 'That did not work'),
    h('p', { class: 'notice bad', role: 'alert' }, words),
    h('p', {}, again, ' ', h('a', { href: '#/' }, 'Back to the start')),
  );
  return { title: 'Error', element };
}

function put({ title, element, focus }: View, section: string | undefined): void {
  document.title = visible(`${title} · Tandem`);
  shell.dress(user, section);
  shell.main.replaceChildren(element);
  scrollTo(0, 0);
  (focus ?? element.querySelector('h1'))?.focus({ preventScroll: true });
}
