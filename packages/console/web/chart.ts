import { type Point, thinned, timeTicks, valueScale } from './chart-scale.js';
import { h, svg, visible } from './dom.js';
import { age, clockTime, count, dateTime, scaleNumber } from './format.js';

const HEIGHT = 132;
const PAD = { top: 8, right: 10, bottom: 20, left: 52 };
/** Where points are this few each gets a mark. */
const MARKED = 80;
/** Kept of one key; older ones give way. */
const POINTS_MAX = 5000;
const DAY = 86_400_000;

/** The course of one key: a line over time, drawn anew when something came. It can be read by pointer and by arrow keys. */
export class Chart {
  readonly element: HTMLElement;
  readonly #drawing: SVGSVGElement;
  readonly #reading = h('span', { class: 'reading figures' });
  #points: Point[] = [];
  #last: { readonly at: number; readonly text: string } | undefined;
  #chosen: number | undefined;
  #asked = false;

  /** @param span of time that is shown, up to now, in milliseconds */
  constructor(
    private readonly name: string,
    private span: number,
    signal: AbortSignal,
  ) {
    this.#drawing = svg('svg', { class: 'chart', role: 'img', tabindex: 0, height: HEIGHT });
    const title = h('figcaption', {}, h('code', {}, name), this.#reading);
    this.element = h('figure', {}, title, this.#drawing);
    this.#drawing.addEventListener('pointermove', (event) => this.#choose(this.#nearest(event.offsetX)));
    this.#drawing.addEventListener('pointerleave', () => this.#choose(undefined));
    this.#drawing.addEventListener('blur', () => {
      this.#reading.removeAttribute('aria-live');
      this.#choose(undefined);
    });
    this.#drawing.addEventListener('keydown', (event) => this.#press(event));
    const watcher = new ResizeObserver(() => this.#redraw());
    watcher.observe(this.element);
    // Whoever wants no motion sees the line move on when something comes.
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const moving = still ? undefined : setInterval(() => this.#redraw(), Math.max(1000, span / 600));
    signal.addEventListener('abort', () => {
      watcher.disconnect();
      clearInterval(moving);
    });
  }

  /** @param text of the latest value, with all its digits, wherever in time it is */
  latest(at: number, text: string): void {
    this.#last = { at, text };
    this.#redraw();
  }

  /** @param points by time */
  show(points: readonly Point[]): void {
    // What came live meanwhile is newer than what was read.
    const last = points.at(-1)?.at ?? 0;
    this.#points = [...points, ...this.#points.filter(({ at }) => at > last)];
    this.#redraw();
  }

  add(point: Point): void {
    const points = this.#points;
    let place = points.length;
    while (place > 0 && (points[place - 1] as Point).at > point.at) place--;
    if (points[place - 1]?.at === point.at) points[place - 1] = point;
    else points.splice(place, 0, point);
    if (points.length > POINTS_MAX) points.shift();
    this.#redraw();
  }

  #press(event: KeyboardEvent): void {
    const shown = this.#shown();
    const at = this.#chosen ?? shown.length;
    const to: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: shown.length - 1 };
    const next = to[event.key];
    if (next === undefined || shown.length === 0) return;
    event.preventDefault();
    // Read aloud is what somebody reads by keys, and not every value that comes in.
    this.#reading.setAttribute('aria-live', 'polite');
    this.#choose(Math.min(shown.length - 1, Math.max(0, next)));
  }

  #choose(index: number | undefined): void {
    if (index === this.#chosen) return;
    this.#chosen = index;
    this.#redraw();
  }

  #shown(): Point[] {
    const from = Date.now() - this.span;
    return this.#points.filter(({ at }) => at >= from);
  }

  #nearest(x: number): number | undefined {
    const shown = this.#shown();
    const width = this.#drawing.clientWidth - PAD.left - PAD.right;
    const at = Date.now() - this.span + ((x - PAD.left) / width) * this.span;
    let best: number | undefined;
    for (const [index, point] of shown.entries()) {
      if (best === undefined || Math.abs(point.at - at) < Math.abs((shown[best] as Point).at - at)) best = index;
    }
    return best;
  }

  #redraw(): void {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#draw();
    });
  }

  #draw(): void {
    const width = this.#drawing.clientWidth - PAD.left - PAD.right;
    if (width <= 0) return;
    const to = Date.now();
    const from = to - this.span;
    const shown = this.#shown();
    const height = HEIGHT - PAD.top - PAD.bottom;
    const scale = valueScale(shown.length > 0 ? shown.map(({ value }) => value) : [0, 1], 3);
    const x = (at: number) => PAD.left + ((at - from) / this.span) * width;
    const y = (value: number) => PAD.top + (1 - (value - scale.low) / (scale.high - scale.low)) * height;
    const parts: SVGElement[] = [];
    for (const tick of shown.length > 0 ? scale.ticks : []) {
      const level = y(tick).toFixed(1);
      parts.push(svg('line', { class: 'grid', x1: PAD.left, x2: PAD.left + width, y1: level, y2: level }));
      const label = scaleNumber(tick, scale.step);
      parts.push(svg('text', { class: 'value', x: PAD.left - 8, y: Number(level) + 4 }, label));
    }
    const offset = new Date(to).getTimezoneOffset();
    for (const tick of timeTicks(from, to, Math.max(3, width / 110), offset)) {
      const label =
        this.span > 2 * DAY ? dateTime(tick).slice(5, 10) : clockTime(tick).slice(0, this.span < DAY / 12 ? 8 : 5);
      parts.push(svg('text', { class: 'time', x: x(tick).toFixed(1), y: HEIGHT - 4 }, label));
    }
    const line = thinned(shown, from, to, width);
    const path = line.map(
      ({ at, value }, index) => `${index === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`,
    );
    parts.push(svg('path', { class: 'line', d: path.join('') }));
    const marks = shown.length <= MARKED ? shown : shown.slice(-1);
    for (const { at, value } of marks) {
      parts.push(svg('circle', { class: 'mark', cx: x(at).toFixed(1), cy: y(value).toFixed(1), r: 2 }));
    }
    const read = this.#chosen === undefined ? undefined : shown[this.#chosen];
    if (read) {
      const at = x(read.at).toFixed(1);
      parts.push(svg('line', { class: 'cross', x1: at, x2: at, y1: PAD.top, y2: PAD.top + height }));
      parts.push(svg('circle', { class: 'chosen', cx: at, cy: y(read.value).toFixed(1), r: 4 }));
    }
    const last = this.#last;
    if (shown.length === 0)
      parts.push(svg('text', { class: 'none', x: PAD.left + width / 2, y: HEIGHT / 2 }, this.#none()));
    this.#reading.replaceChildren(
      ...(read ? [h('small', {}, dateTime(read.at)), ' ', String(read.value)] : last ? [visible(last.text)] : []),
    );
    this.#drawing.setAttribute('aria-label', this.#words(shown));
    this.#drawing.replaceChildren(...parts);
  }

  #none(): string {
    const last = this.#last ? `; the last one is ${age(this.#last.at, Date.now())} old` : '';
    return `No values in this time${last}`;
  }

  #words(shown: readonly Point[]): string {
    const last = shown.at(-1);
    if (!last) return `${this.name}: ${this.#none()}`;
    const values = shown.map(({ value }) => value);
    return `${this.name}: ${count(shown.length, 'value')} from ${Math.min(...values)} to ${Math.max(...values)}, last ${last.value}. Arrow keys read them.`;
  }
}
