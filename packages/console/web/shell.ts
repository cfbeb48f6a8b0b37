import { h } from './dom.js';
import type { LiveState } from './live.js';
import { call } from './server.js';
import { endSession, type User } from './session.js';

const GRACE = 2000;

/** What stands around every view: the name, the ways, whether it is live, who is logged in. */
export class Shell {
  readonly main = h('main', { id: 'main' }, h('p', { class: 'page hint' }, 'Reading …'));
  readonly #state = h('span', { class: 'live-state', role: 'status' });
  #lost: { readonly state: LiveState; readonly pause: number } | undefined;
  #late: number | undefined;
  readonly #again = h('button', { type: 'button', class: 'quiet', hidden: true }, 'Reconnect now');
  readonly #nav = h('nav', { 'aria-label': 'Console' });
  readonly #account = h('div', { class: 'account' });
  readonly #header = h(
    'header',
    { class: 'top' },
    h(
      'a',
      { class: 'name', href: '#/' },
      h('img', { src: '/console/icon.svg', alt: '', width: 22, height: 22 }),
      'Tandem',
    ),
    this.#nav,
    h('div', { class: 'live' }, this.#state, this.#again),
    this.#account,
  );

  constructor(reconnect: () => void) {
    this.#again.addEventListener('click', reconnect);
    const skip = h('a', { class: 'skip', href: '#main' }, 'Skip to the content');
    skip.addEventListener('click', (event) => {
      event.preventDefault();
      this.main.querySelector('h1')?.focus();
    });
    document.body.replaceChildren(skip, this.#header, this.main);
  }

  /** @param section which of the ways is the one that was gone */
  dress(user: User | undefined, section: string | undefined): void {
    this.#header.hidden = user === undefined;
    if (!user) return;
    this.#nav.replaceChildren(
      ...waysOf(user).map(([hash, text]) =>
        h('a', { href: hash, 'aria-current': section !== undefined && hash === `#/${section}` && 'page' }, text),
      ),
    );
    const logOut = h('button', { type: 'button', class: 'quiet', on: { click: () => void leave() } }, 'Log out');
    this.#account.replaceChildren(h('span', { title: user.email }, user.email), logOut);
  }

  /** A moment without a connection, as when the token is renewed, is nothing to tell. */
  tellLive(state: LiveState, pause: number): void {
    const isLost = state === 'waiting' || state === 'connecting';
    if (isLost && this.#state.dataset.state === 'open') {
      this.#lost = { state, pause };
      this.#late ??= setTimeout(() => {
        this.#late = undefined;
        if (this.#lost) this.#tell(this.#lost.state, this.#lost.pause);
      }, GRACE);
      return;
    }
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#lost = undefined;
    this.#tell(state, pause);
  }

  #tell(state: LiveState, pause: number): void {
    const seconds = Math.max(1, Math.round(pause / 1000));
    const texts: Record<LiveState, string> = {
      idle: '',
      connecting: 'connecting',
      open: 'live',
      waiting: `offline, reconnecting in ${seconds} s`,
    };
    // While it tries again and again "offline" stays: a reader hears it once.
    if (state === 'connecting' && this.#state.dataset.state === 'waiting') return;
    this.#state.dataset.state = state;
    this.#state.textContent = texts[state];
    this.#again.hidden = state !== 'waiting';
    document.body.classList.toggle('offline', state === 'waiting');
  }
}

function waysOf({ authority }: User): ReadonlyArray<readonly [string, string]> {
  if (authority === 'SYS_ADMIN') return [['#/tenants', 'Tenants']];
  return [
    ['#/devices', 'Devices'],
    ['#/live', 'Live'],
  ];
}

async function leave(): Promise<void> {
  // Where the gateway is not there the tokens are forgotten all the same.
  await call('/api/auth/logout', { method: 'POST' }).catch(() => {});
  endSession();
}
