import { TandemError } from '@tandem/core';

/**
 * The query of a URL. A parameter with an empty value counts as absent (server contract 1.5); only `has` tells the two
 * apart. Every failure is BAD_REQUEST and names the parameter. What the route does not declare cannot be read.
 */
export class Query {
  readonly #parameters: URLSearchParams;

  /** @param declared names of the parameters that the route has */
  constructor(
    url: string,
    private readonly declared: ReadonlySet<string>,
  ) {
    const at = url.indexOf('?');
    this.#parameters = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
  }

  has(name: string): boolean {
    return this.#values(name).length > 0;
  }

  text(name: string): string | undefined {
    return this.#values(name)[0] || undefined;
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw refused(
      this.has(name) ? `Parameter '${name}' can't be empty!` : `Required request parameter '${name}' is not present`,
    );
  }

  /** The comma list `<name>` and the repeatable parameter `<single>`, for items that hold a comma; each item once. */
  list(name: string, single: string): string[] {
    const fromLists = this.#values(name).flatMap((value) => value.split(','));
    return [...new Set([...fromLists, ...this.#values(single)])].filter((item) => item !== '');
  }

  flag(name: string): boolean {
    return flagOf(name, this.text(name) ?? 'false');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined;
  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T;
  choice<T extends string>(name: string, choices: readonly T[], fallback?: T): T | undefined {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const found = choices.find((candidate) => candidate === value.toUpperCase());
    if (!found) throw refused(`Parameter '${name}' must be one of ${choices.join(', ')}`);
    return found;
  }

  /** A whole number of 64 bits; beyond what a JavaScript number holds exactly it becomes the nearest that one does. */
  long(name: string): number {
    const value = this.requiredText(name);
    const long = /^[+-]?0*\d{1,19}$/.test(value) ? BigInt(value) : undefined;
    if (long === undefined || BigInt.asIntN(64, long) !== long) {
      throw refused(`Parameter '${name}' must be a whole number of 64 bits`);
    }
    return Math.min(Math.max(Number(long), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  whole(name: string, range: { readonly min: number; readonly max: number }, fallback?: number): number {
    const value = fallback === undefined ? this.requiredText(name) : this.text(name);
    if (value === undefined) return fallback ?? range.min;
    const number = Number(value);
    if (!/^[+-]?\d{1,17}$/.test(value) || number < range.min || number > range.max) {
      throw refused(`Parameter '${name}' must be a whole number from ${range.min} to ${range.max}`);
    }
    return number;
  }

  #values(name: string): string[] {
    if (!this.declared.has(name)) throw new Error(`The route does not declare the parameter ${name}`);
    return this.#parameters.getAll(name);
  }
}

/** @throws TandemError BAD_REQUEST */
export function flagOf(name: string, text: string | undefined): boolean {
  const value = text?.toLowerCase();
  if (value !== 'true' && value !== 'false') throw refused(`Parameter '${name}' must be true or false`);
  return value === 'true';
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
