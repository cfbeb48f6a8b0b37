import { h, notice } from './dom.js';
import { wordsFor } from './server.js';

export interface FoldForm {
  /** Opens and closes it. */
  readonly button: HTMLElement;
  readonly element: HTMLElement;
}

/**
 * A form behind a button.
 * @param submit resolves with what to say, or rejects with it
 */
export function foldForm(
  title: string,
  action: string,
  fields: readonly HTMLElement[],
  submit: () => Promise<string>,
): FoldForm {
  const said = notice();
  const send = h('button', { type: 'submit', class: 'main' }, action);
  const cancel = h('button', { type: 'button', class: 'quiet' }, 'Cancel');
  const form = h(
    'form',
    { class: 'fold', hidden: true, 'aria-label': title },
    ...fields,
    h('div', { class: 'actions' }, send, cancel),
    said.element,
  );
  const button = h('button', { type: 'button', 'aria-expanded': 'false' }, title);
  const open = (isOpen: boolean) => {
    form.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) form.querySelector('input')?.focus();
    else button.focus();
  };
  button.addEventListener('click', () => open(form.hidden === true));
  cancel.addEventListener('click', () => open(false));
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') open(false);
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      said.say(await submit(), 'good');
    } catch (error) {
      said.say(wordsFor(error), 'bad');
    } finally {
      send.disabled = false;
    }
  });
  return { button, element: form };
}
