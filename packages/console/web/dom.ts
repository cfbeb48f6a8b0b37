/** What an element is made of beside its children: attributes as they stand in HTML, and `on` for listeners. */
export interface Attributes {
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [name: string]: string | number | boolean | undefined | Attributes['on'];
}

export type Child = Node | string | undefined;

/** Makes an element. Texts become text nodes: what a device or a server says never becomes markup. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  decorate(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(SVG, tag);
  decorate(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

function decorate(element: Element, { on, ...attributes }: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [event, listener] of Object.entries(on ?? {})) element.addEventListener(event, listener);
}

let ids = 0;
/** An id for what a label, or a description, refers to. */
export const freshId = (): string => `n${++ids}`;

/** A label above its control. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= freshId();
  const note = hint === undefined ? undefined : h('small', { id: freshId() }, hint);
  if (note) control.setAttribute('aria-describedby', note.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, note);
}

/** Where the outcome of an action is told, for eyes and screen readers. */
export function notice(): { readonly element: HTMLElement; say(text: string, kind?: 'good' | 'bad'): void } {
  const element = h('p', { class: 'notice', role: 'status' });
  return {
    element,
    say(text, kind) {
      element.textContent = text;
      element.className = kind ? `notice ${kind}` : 'notice';
    },
  };
}

/** A table whose cells keep the names of their columns, which a narrow screen shows beside them. */
export function table(
  caption: string,
  columns: readonly string[],
): { readonly element: HTMLElement; readonly body: HTMLElement } {
  const body = h('tbody');
  const head = h(
    'tr',
    {},
    ...columns.map((name) =>
      h('th', { scope: 'col' }, name === 'Change' ? h('span', { class: 'unseen' }, name) : name),
    ),
  );
  return {
    element: h('table', {}, h('caption', { class: 'unseen' }, caption), h('thead', {}, head), body),
    body,
  };
}
