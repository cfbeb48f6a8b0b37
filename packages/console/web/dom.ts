/** What an element is made of beside its children: attributes as they stand in HTML, and `on` for listeners. */
export interface Attributes {
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly [name: string]: string | number | boolean | undefined | Attributes['on'];
}

export type Child = Node | string | undefined;

/** Marks that turn the direction of what comes after them. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Nobody can make a name look like another one: what would turn the order of letters is shown by its number. */
export const visible = (text: string): string =>
  text.replace(TURNS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Makes an element. Texts become text nodes: what a device or a server says never becomes markup. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  decorate(made, attributes);
  made.append(...children.filter((child) => child !== undefined).map(seen));
  return made;
}

const seen = (child: Node | string): Node | string => (typeof child === 'string' ? visible(child) : child);

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
      element.textContent = visible(text);
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
