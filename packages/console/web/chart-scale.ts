export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly ticks: readonly number[];
}

/** Round steps, so that some `wanted` of them hold all values. */
export function valueScale(values: readonly number[], wanted: number): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(low < high)) {
    const room = Math.abs(low) * 0.05 || 1;
    low -= room;
    high += room;
  }
  const step = roundStep((high - low) / wanted);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return { low: first * step, high: last * step, step, ticks };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = rough / power;
  return power * (size <= 1 ? 1 : size <= 2 ? 2 : size <= 5 ? 5 : 10);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[5, 10, 15, 30].map((number) => number * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((number) => number * MINUTE),
  ...[1, 2, 3, 6, 12].map((number) => number * HOUR),
  ...[1, 2, 7].map((number) => number * DAY),
];

/** Round times of the day between the two, `wanted` at the most. @param offset of the place, as `getTimezoneOffset` has it */
export function timeTicks(from: number, to: number, wanted: number, offset = 0): number[] {
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= wanted) ?? 7 * DAY;
  const shift = offset * MINUTE;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) ticks.push(at);
  return ticks;
}

/**
 * So that no more is drawn than there are columns to draw in: of what falls into one, the lowest and the highest in their order.
 * @param points by time
 */
export function thinned(points: readonly Point[], from: number, to: number, columns: number): Point[] {
  if (points.length <= 2 * columns) return [...points];
  const kept: Point[] = [];
  const width = (to - from) / columns;
  for (let start = 0; start < points.length; ) {
    const first = points[start] as Point;
    const column = Math.floor((first.at - from) / width);
    let low = first;
    let high = first;
    let end = start;
    for (; end < points.length; end++) {
      const point = points[end] as Point;
      if (Math.floor((point.at - from) / width) !== column) break;
      if (point.value < low.value) low = point;
      if (point.value > high.value) high = point;
    }
    start = end;
    if (low === high) kept.push(low);
    else kept.push(...(low.at < high.at ? [low, high] : [high, low]));
  }
  return kept;
}
