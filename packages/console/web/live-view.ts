import { h } from './dom.js';
import type { Place, View } from './view.js';
import { waitersPanel } from './waiters.js';

export function liveView({ live, signal }: Place): View {
  live.open();
  const element = h(
    'div',
    { class: 'page' },
    h('h1', { tabindex: -1 }, 'Live'),
    h('p', { class: 'lead' }, 'Devices that are there at this moment, and wait for attributes or commands.'),
    waitersPanel(signal),
  );
  return { title: 'Live', element };
}
