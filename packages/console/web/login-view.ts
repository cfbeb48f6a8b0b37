import { field, h, notice } from './dom.js';
import { callPublic, wordsFor } from './server.js';
import { startSession } from './session.js';
import type { View } from './view.js';

/** @param why there is no session any more, where there was one */
export function loginView(why: string | undefined, loggedIn: () => void): View {
  const email = h('input', { type: 'email', name: 'username', autocomplete: 'username', required: true });
  const password = h('input', {
    type: 'password',
    name: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const button = h('button', { type: 'submit', class: 'main' }, 'Log in');
  const said = notice();
  if (why) said.say(why, 'bad');

  const submit = async (event: Event) => {
    event.preventDefault();
    button.disabled = true;
    said.say('Logging in …');
    try {
      startSession(await callPublic('/api/auth/login', { username: email.value, password: password.value }));
      loggedIn();
    } catch (error) {
      said.say(wordsFor(error), 'bad');
      password.select();
      password.focus();
    } finally {
      button.disabled = false;
    }
  };

  const element = h(
    'div',
    { class: 'login' },
    h('img', { src: '/console/icon.svg', alt: '', width: 44, height: 44 }),
    h('h1', { tabindex: -1 }, 'Tandem'),
    h('p', { class: 'lead' }, 'Devices over HTTP and CoAP, live.'),
    h(
      'form',
      { on: { submit: (event) => void submit(event) } },
      field('E-mail', email),
      field('Password', password),
      button,
      said.element,
    ),
    h(
      'p',
      { class: 'hint' },
      'The first administrator’s password is in ',
      h('code', {}, 'initial-admin-password'),
      ' in the data folder of the gateway.',
    ),
  );
  return { title: 'Log in', element, focus: email };
}
