import { h, notice } from '../dom.js';
import { read, whileThere } from '../server.js';
import type { Place } from '../view.js';
import { section } from './section.js';

interface Line {
  readonly title: string;
  readonly protocol: string;
  readonly command: string;
}

interface Credentials {
  readonly credentialsType: string;
  readonly credentialsId: string;
}

const NAMES: Readonly<Record<string, string>> = { http: 'HTTP', https: 'HTTPS', coap: 'CoAP', coaps: 'CoAP over DTLS' };

const KINDS: Readonly<Record<string, string>> = {
  ACCESS_TOKEN: 'Access token',
  X509_CERTIFICATE: 'Certificate, SHA3-256',
  MQTT_BASIC: 'MQTT',
  PSK: 'Identity of the pre-shared key',
};

/** Lines for a shell that do as the device, with its own credentials. */
export function connectSection({ signal }: Place, deviceId: string): HTMLElement {
  const key = h('div', {});
  const lines = h('div', { class: 'lines' });
  const said = notice();
  const show = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Show the token');
  show.addEventListener('click', () => {
    const isShown = element.classList.toggle('secrets-shown');
    show.setAttribute('aria-pressed', String(isShown));
  });

  const load = async () => {
    const [credentials, { commands, reason }] = await Promise.all([
      read<Credentials>(`/api/device/${deviceId}/credentials`, signal),
      read<{ commands: Line[]; reason: string | null }>(`/api/device-connectivity/${deviceId}`, signal),
    ]);
    const { credentialsType, credentialsId } = credentials;
    key.replaceChildren(
      copyLine(KINDS[credentialsType] ?? credentialsType, credentialsId, credentialsId, said.say),
      show,
    );
    const protocols = [...new Set(commands.map(({ protocol }) => protocol))];
    lines.replaceChildren(
      ...protocols.map((protocol) => {
        const ofProtocol = commands.filter((line) => line.protocol === protocol);
        const made = ofProtocol.map(({ title, command }) =>
          copyLine(`${title} (${NAMES[protocol] ?? protocol})`, command, credentialsId, said.say, title),
        );
        return h(
          'div',
          { class: 'part', 'data-protocol': protocol },
          h('h3', {}, NAMES[protocol] ?? protocol),
          ...made,
        );
      }),
    );
    if (commands.length === 0) lines.replaceChildren(h('p', { class: 'empty' }, reason ?? 'There is no line.'));
  };
  whileThere(signal, load(), (words) => said.say(words, 'bad'));
  const element = section('Connect', 'Run these as the device. Its token is a secret.', key, lines, said.element);
  return element;
}

/** @param secret is hidden until somebody wants to see it: others look at screens, too */
function copyLine(
  title: string,
  text: string,
  secret: string,
  say: (text: string, kind?: 'good' | 'bad') => void,
  heading = title,
): HTMLElement {
  const pieces = text
    .split(secret)
    .flatMap((piece, index) => [...(index === 0 ? [] : [h('span', { class: 'secret' }, secret)]), ...breakable(piece)]);
  const shown = h('code', { tabindex: 0 }, ...pieces);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(`Copied: ${title}`, 'good');
    } catch {
      // No clipboard over plain HTTP from elsewhere: it is marked, and the keyboard copies it.
      getSelection()?.selectAllChildren(shown);
      say('The browser keeps the clipboard to itself here: the line is marked, copy it with Ctrl+C.');
    }
  };
  const button = h(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': `Copy: ${title}`, on: { click: () => void copy() } },
    'Copy',
  );
  return h('div', { class: 'copy' }, h('span', { class: 'what' }, heading), button, h('pre', {}, shown));
}

/** A long address breaks behind a slash rather than inside a word. */
const breakable = (text: string): Array<Node | string> =>
  text.split(/(?<=\/)(?=[^/])/).flatMap((piece, index) => (index === 0 ? [piece] : [h('wbr'), piece]));
