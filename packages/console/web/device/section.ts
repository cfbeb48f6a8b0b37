import { freshId, h } from '../dom.js';

/** A part of the device's page: its name in the margin, what it is about below that, and the rest beside it. */
export function section(title: string, about: string, ...content: HTMLElement[]): HTMLElement {
  const id = freshId();
  return h(
    'section',
    { 'aria-labelledby': id },
    h('div', { class: 'margin' }, h('h2', { id, tabindex: -1 }, title), h('p', { class: 'hint' }, about)),
    h('div', { class: 'content' }, ...content),
  );
}
