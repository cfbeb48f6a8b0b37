/** One setting: how its text is read, what it means, and what holds when it is not set. */
export interface Setting<T> {
  readonly type: string;
  /** Unit of the number, where it has one. */
  readonly unit?: string;
  /** As it would be written in the environment; empty = unset. */
  readonly default: string;
  readonly doc: string;
  /** A secret is never printed. */
  readonly secret?: boolean;
  /** Whether a value is a secret by mistake: then it is not printed either. */
  readonly looksSecret?: (text: string) => boolean;
  /** Known by name, but this version has nothing behind it: any other value than the default stops the start. */
  readonly planned?: boolean;
  /** @throws Error whose message completes "NAME ..." */
  parse(text: string): T;
}

type Extra = Partial<Pick<Setting<unknown>, 'secret' | 'planned'>>;

export const text = (fallback: string, doc: string, extra: Extra = {}): Setting<string> => ({
  type: 'text',
  default: fallback,
  doc,
  parse: (value) => value,
  ...extra,
});

/** Unset is undefined. */
export const optionalText = (doc: string, extra: Extra = {}): Setting<string | undefined> => ({
  type: 'text',
  default: '',
  doc,
  parse: (value) => (value === '' ? undefined : value),
  ...extra,
});

export const flag = (fallback: boolean, doc: string, extra: Extra = {}): Setting<boolean> => ({
  type: 'true or false',
  default: String(fallback),
  doc,
  parse(value) {
    if (value === 'true') return true;
    if (value === 'false') return false;
    throw new Error('must be true or false');
  },
  ...extra,
});

/** Unset is undefined. */
export const optionalFlag = (doc: string): Setting<boolean | undefined> => {
  const set = flag(false, doc);
  return { ...set, default: '', parse: (value) => (value === '' ? undefined : set.parse(value)) };
};

const HOST = /^(?:[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?|\[?[\da-f:.]{2,45}\]?)$/i;

/** A name or an address, an IPv6 address with or without brackets. Unset is undefined. */
export const optionalHost = (doc: string): Setting<string | undefined> => ({
  type: 'name or address',
  default: '',
  doc,
  parse(value) {
    if (value === '') return undefined;
    if (!HOST.test(value)) throw new Error('must be the name or the address of a host');
    return value;
  },
});

export const whole = (
  fallback: number,
  range: { readonly min: number; readonly max?: number; readonly unit?: string },
  doc: string,
  extra: Extra = {},
): Setting<number> => ({
  type: 'whole number',
  unit: range.unit,
  default: String(fallback),
  doc,
  parse(value) {
    const max = range.max ?? Number.MAX_SAFE_INTEGER;
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < range.min || number > max) {
      throw new Error(`must be a whole number from ${range.min} to ${max}`);
    }
    return number;
  },
  ...extra,
});

/** Unset is undefined. */
export const optionalWhole = (
  range: { readonly min: number; readonly max?: number; readonly unit?: string },
  doc: string,
): Setting<number | undefined> => {
  const number = whole(range.min, range, doc);
  return { ...number, default: '', parse: (value) => (value === '' ? undefined : number.parse(value)) };
};

/** The longest delay a timer can hold. */
const MAX_DELAY = 2_147_483_647;

export const millis = (fallback: number, doc: string, extra: Extra = {}): Setting<number> =>
  whole(fallback, { min: 1, max: MAX_DELAY, unit: 'ms' }, doc, extra);

/** 0 lets the system choose a free port. */
export const port = (fallback: number, doc: string, extra: Extra = {}): Setting<number> => ({
  ...whole(fallback, { min: 0, max: 65_535 }, doc, extra),
  type: 'port',
});

export const choice = <T extends string>(
  fallback: T,
  choices: readonly T[],
  doc: string,
  extra: Extra = {},
): Setting<T> => ({
  type: choices.join(', '),
  default: fallback,
  doc,
  parse(value) {
    const found = choices.find((candidate) => candidate === value);
    if (!found) throw new Error(`must be one of ${choices.join(', ')}`);
    return found;
  },
  ...extra,
});

export const list = <T extends string>(
  fallback: readonly T[],
  choices: readonly T[],
  doc: string,
): Setting<readonly T[]> => ({
  type: `comma list of ${choices.join(', ')}`,
  default: fallback.join(','),
  doc,
  parse(value) {
    const items = value.split(',').map((item) => item.trim());
    const found = choices.filter((candidate) => items.includes(candidate));
    if (found.length === 0 || found.length !== new Set(items).size) {
      throw new Error(`must be a comma list of ${choices.join(', ')}`);
    }
    return found;
  },
});

/** A comma list of paths. Unset is an empty list. */
export const paths = (doc: string): Setting<readonly string[]> => ({
  type: 'comma list of paths',
  default: '',
  doc,
  parse: (value) =>
    value
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== ''),
});

export const httpUrl = (doc: string, extra: Extra = {}): Setting<URL | undefined> => ({
  type: 'http or https URL',
  default: '',
  doc,
  parse(value) {
    if (value === '') return undefined;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Error('must be an http or https URL');
    return url;
  },
  ...extra,
});
