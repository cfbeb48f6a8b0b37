/** Devices are named by line and number: `Line 042 sensor 017`. */
const DEVICES_PER_LINE = 100;
const PAGE_SIZE = 100;
/** Reads of latest values go to so many devices, spread over all. */
const READ_DEVICES = 10_000;

export const READ_NAMES = ['page', 'text', 'text-of-all', 'latest'] as const;
export type ReadName = (typeof READ_NAMES)[number];

/** A kind of call of the server API, as many different requests. */
export interface Read {
  readonly name: ReadName;
  readonly title: string;
  /** Path and query of each GET. */
  readonly paths: readonly string[];
  /** How many devices or keys each answer holds. */
  readonly itemsOf: (answer: unknown) => number;
  readonly items: number;
}

export const deviceName = (index: number): string =>
  `Line ${threeDigits(Math.floor(index / DEVICES_PER_LINE))} sensor ${threeDigits(index % DEVICES_PER_LINE)}`;

const threeDigits = (number: number): string => String(number).padStart(3, '0');

/** @param keys time series that each read device has */
export function readsOf(names: readonly ReadName[], deviceIds: readonly string[], keys: number): Read[] {
  const pages = Math.ceil(deviceIds.length / PAGE_SIZE);
  const lines = Math.ceil(deviceIds.length / DEVICES_PER_LINE);
  const lists = { itemsOf: devicesOf, items: Math.min(PAGE_SIZE, deviceIds.length) };
  const all: readonly Read[] = [
    {
      ...lists,
      name: 'page',
      title: `${PAGE_SIZE} of ${deviceIds.length} devices, page by page`,
      paths: numbers(pages).map((page) => listPath(page)),
    },
    {
      ...lists,
      name: 'text',
      title: `the ${DEVICES_PER_LINE} of ${deviceIds.length} devices whose names hold a text, in any letter case`,
      paths: numbers(lines).map((line) => listPath(0, `${threeDigits(line)} SENSOR`)),
    },
    {
      ...lists,
      name: 'text-of-all',
      title: `${PAGE_SIZE} of ${deviceIds.length} devices, all of whose names hold the text, page by page`,
      paths: numbers(pages).map((page) => listPath(page, 'sensor')),
    },
    {
      name: 'latest',
      title: `the latest ${keys} values of one device of ${deviceIds.length}`,
      paths: readDevices(deviceIds).map((id) => `/api/plugins/telemetry/DEVICE/${id}/values/timeseries`),
      itemsOf: (answer) => Object.keys(answer as object).length,
      items: keys,
    },
  ];
  return all.filter(({ name }) => names.includes(name));
}

/** Of those whose values are read: every tenth of 100,000. @param items one for each device */
export function readDevices<T>(items: readonly T[]): T[] {
  const step = Math.max(1, Math.floor(items.length / READ_DEVICES));
  return items.filter((_, index) => index % step === 0);
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const devicesOf = (answer: unknown): number => (answer as { data: unknown[] }).data.length;

function listPath(page: number, text?: string): string {
  const query = new URLSearchParams({ pageSize: String(PAGE_SIZE), page: String(page) });
  if (text !== undefined) query.set('textSearch', text);
  return `/api/tenant/devices?${query}`;
}
