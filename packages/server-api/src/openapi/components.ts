import { isDeepStrictEqual } from 'node:util';

/** Schemas that have a `title` stand once in the document, by that name; elsewhere they are referred to. */
export class Components {
  readonly schemas: Record<string, object> = {};

  /** @returns the schema, with references in the place of what has a name. @throws Error for two schemas of one name */
  refer(schema: object): object {
    const { title, ...rest } = schema as { title?: string };
    if (title === undefined) return this.#inside(schema);
    const described = this.#inside(rest);
    const known = this.schemas[title];
    if (known && !isDeepStrictEqual(known, described)) throw new Error(`two schemas have the name ${title}`);
    this.schemas[title] = described;
    return { $ref: `#/components/schemas/${title}` };
  }

  #inside(schema: object): object {
    return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#value(key, value)]));
  }

  /** Members of `properties` may be called `title` as well: they are schemas themselves. */
  #value(key: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => (isSchema(item) ? this.refer(item) : item));
    if (!isSchema(value)) return value;
    if (key !== 'properties') return this.refer(value);
    return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, this.refer(schema as object)]));
  }
}

const isSchema = (value: unknown): value is object => typeof value === 'object' && value !== null;
