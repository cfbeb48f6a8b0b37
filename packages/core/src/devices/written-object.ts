import { TandemError } from '../errors';
import { splitJsonObject } from '../payload/index';

/**
 * An object as JSON text, of which some members are looked at and filled in while all others stay as they were written:
 * their order, and the text of their numbers. Null counts as absent. What is refused is named by its path.
 */
export class WrittenObject {
  private constructor(
    private readonly path: string,
    private readonly members: Map<string, string>,
  ) {}

  /** @throws TandemError BAD_REQUEST when it is another kind of JSON */
  static of(json: string, path: string): WrittenObject {
    if (!json.startsWith('{')) throw refused(`${path} must be an object`);
    return new WrittenObject(path, splitJsonObject(json));
  }

  /** A member that is an object; an empty one where it is absent. @throws TandemError BAD_REQUEST */
  object(name: string): WrittenObject {
    return WrittenObject.of(this.#json(name) ?? '{}', this.#at(name));
  }

  /** @throws TandemError BAD_REQUEST when it is no text */
  text(name: string): string | undefined {
    const json = this.#json(name);
    if (json === undefined) return undefined;
    if (!json.startsWith('"')) throw refused(`${this.#at(name)} must be a text`);
    return JSON.parse(json) as string;
  }

  /** @returns the fallback, which is written down then, where it is absent. @throws TandemError BAD_REQUEST */
  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.text(name);
    if (value === undefined) {
      this.put(name, JSON.stringify(fallback));
      return fallback;
    }
    const found = choices.find((choice) => choice === value);
    if (!found) throw refused(`${this.#at(name)} must be ${choices.length > 1 ? 'one of ' : ''}${choices.join(', ')}`);
    return found;
  }

  /** @param json the value; a new member goes to the end */
  put(name: string, json: string): void {
    this.members.set(name, json);
  }

  /** Puts what is absent. */
  fill(defaults: Readonly<Record<string, boolean | string | null>>): void {
    for (const [name, value] of Object.entries(defaults)) {
      if (this.#json(name) === undefined) this.put(name, JSON.stringify(value));
    }
  }

  toJson(): string {
    return `{${[...this.members].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  }

  #json(name: string): string | undefined {
    const json = this.members.get(name);
    return json === 'null' ? undefined : json;
  }

  #at(name: string): string {
    return `${this.path}.${name}`;
  }
}

const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
