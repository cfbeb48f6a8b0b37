import { h } from './dom.js';
import { size } from './format.js';

const SHOWN = 200;
/** More than this a browser lays out too slowly. */
const SHOWN_AT_MOST = 1_000_000;

/** What others have said can be of any length: more than a few lines are shown when somebody wants them. */
export function longText(text: string): HTMLElement {
  if (text.length <= SHOWN + 40) return h('bdi', {}, text);
  if (text.length > SHOWN_AT_MOST) return h('small', {}, `too long to show (${size(text.length)})`);
  const cut = h('bdi', { class: 'cut' }, `${text.slice(0, SHOWN)}…`);
  const button = h('button', { type: 'button', class: 'quiet' }, `Show all (${size(text.length)})`);
  let isOpen = false;
  button.addEventListener('click', () => {
    isOpen = !isOpen;
    cut.replaceChildren(...h('bdi', {}, isOpen ? text : `${text.slice(0, SHOWN)}…`).childNodes);
    button.textContent = isOpen ? 'Show less' : `Show all (${size(text.length)})`;
  });
  return h('span', {}, cut, ' ', button);
}
