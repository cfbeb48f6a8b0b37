/**
 * What the lenient reader makes of a text. A number keeps its source text, because `42` and `42.0` are different values
 * and 64-bit integers must stay exact (contract 3.1, 3.4); a JavaScript number stands only for the integers of at most
 * 15 digits, whose text it gives back as it was.
 */
export type JsonNode = null | boolean | string | number | JsonNumber | JsonObject | readonly JsonNode[];

/** A number by its source text, which is always valid JSON: what was written `.5` or `0.50` is held as `0.5`, `0.50`. */
export class JsonNumber {
  constructor(readonly text: string) {}
}

/**
 * Members in the order of their first appearance, each name once. Two lists and not a JavaScript object: any name is an
 * ordinary one (`__proto__`, `constructor`), and names like `7` keep their place.
 */
export class JsonObject {
  constructor(
    readonly names: readonly string[],
    readonly values: readonly JsonNode[],
  ) {}

  static readonly EMPTY = new JsonObject([], []);

  get(name: string): JsonNode | undefined {
    const at = this.names.indexOf(name);
    return at === -1 ? undefined : this.values[at];
  }
}

/** `Array.isArray` does not narrow to a list that is read-only. */
export const isJsonArray = (node: JsonNode): node is readonly JsonNode[] => Array.isArray(node);

/** Pieces are joined in runs: a chain of millions of `+=` would cost 32 bytes of heap a link until it is flattened. */
const RUN = 4096;

class Text {
  #pieces: string[] = [];
  #joined = '';

  add(piece: string): void {
    if (this.#pieces.push(piece) === RUN) {
      this.#joined += this.#pieces.join('');
      this.#pieces = [];
    }
  }

  finish(): string {
    return this.#joined + this.#pieces.join('');
  }
}

/** Compact JSON text: no white space, member order and number texts as they were written. */
export function renderNode(node: JsonNode): string {
  if (node === null || typeof node !== 'object') return JSON.stringify(node);
  if (node instanceof JsonNumber) return node.text;
  const text = new Text();
  render(node, text);
  return text.finish();
}

function render(node: JsonNode, text: Text): void {
  if (node === null || typeof node !== 'object') {
    text.add(JSON.stringify(node));
  } else if (node instanceof JsonNumber) {
    text.add(node.text);
  } else if (node instanceof JsonObject) {
    let separator = '{';
    for (let i = 0; i < node.names.length; i++) {
      text.add(`${separator}${JSON.stringify(node.names[i])}:`);
      render(node.values[i] ?? null, text);
      separator = ',';
    }
    text.add(separator === '{' ? '{}' : '}');
  } else {
    let separator = '[';
    for (const item of node) {
      text.add(separator);
      render(item, text);
      separator = ',';
    }
    text.add(separator === '[' ? '[]' : ']');
  }
}
