import type { SchemaFaults } from './schema-faults';
import type { Token } from './schema-tokens';

export interface SchemaLimits {
  /** Longest source. */
  readonly maxBytes: number;
  /** Messages and enums together. */
  readonly maxTypes: number;
  /** Fields and values of enums together. */
  readonly maxFields: number;
  /** Messages within messages, as they are declared and as fields refer to them. */
  readonly maxNesting: number;
}

/** What the parser is not asked for. Paths are `<name of the message or enum>.<name>`; the name of a type holds those around it. */
export interface SchemaNotes {
  /** Path -> line of its declaration. */
  readonly lines: ReadonlyMap<string, number>;
  /** Paths of the fields with `optional`. */
  readonly optional: ReadonlySet<string>;
  /** The words that the parser need not see: it makes a oneof of an `optional` field, whose name may be taken. */
  readonly leftOut: ReadonlySet<Token>;
}

type Block = 'file' | 'message' | 'enum' | 'oneof';

interface Scope {
  readonly block: Block;
  /** Empty at the top. */
  readonly name: string;
  /** Numbers of the fields or values so far; a oneof has those of its message. */
  readonly numbers: Set<number>;
  /** Fields of the schema before it. */
  readonly before: number;
}

const TYPE_WORDS: readonly string[] = ['message', 'enum', 'oneof'];
/** What the language has and a profile must not have (device contract 4.4). */
const REFUSED: Readonly<Record<string, string>> = {
  import: 'imports are not supported',
  option: 'options are not supported',
  extend: 'extensions are not supported',
  extensions: 'extensions are not supported',
  reserved: 'reserved elements are not supported',
  service: 'services are not supported',
  required: 'required fields are not supported',
  edition: 'the syntax must be "proto3"',
  map: 'map fields are not supported',
  group: 'groups are not supported',
};

/**
 * Looks at the statements of a schema before it is parsed: what is refused, what is too much, and what stands where. Whether
 * it is well-formed is left to the parser.
 */
export class SchemaGuard {
  readonly #lines = new Map<string, number>();
  readonly #optional = new Set<string>();
  readonly #leftOut = new Set<Token>();
  readonly #scopes: Scope[] = [{ block: 'file', name: '', numbers: new Set(), before: 0 }];
  #statement: Token[] = [];
  #last: Token | undefined;
  #types = 0;
  #fields = 0;
  #hasSyntax = false;

  constructor(
    private readonly limits: SchemaLimits,
    private readonly faults: SchemaFaults,
  ) {}

  /** @throws TandemError BAD_REQUEST */
  take(token: Token): void {
    this.#last = token;
    if (token.text === '[') throw this.faults.at(token.line, 'options are not supported');
    if (token.text === '{') this.#open(this.#statement, token);
    else if (token.text === '}') this.#close(this.#statement, token);
    else if (token.text === ';') this.#end(this.#statement);
    else {
      this.#refuse(this.#statement, token);
      this.#statement.push(token);
      return;
    }
    this.#statement = [];
  }

  /** After the last token. @throws TandemError BAD_REQUEST */
  end(): SchemaNotes {
    if (this.#last && (this.#statement.length > 0 || this.#scopes.length > 1)) {
      throw this.faults.at(this.#last.line, 'the schema ends within a statement');
    }
    if (!this.#hasSyntax) throw this.faults.at(1, 'the syntax must be "proto3"');
    return { lines: this.#lines, optional: this.#optional, leftOut: this.#leftOut };
  }

  get #scope(): Scope {
    return this.#scopes[this.#scopes.length - 1] as Scope;
  }

  /** A word that is refused counts where a statement begins, or the type of a field is named; an enum may have it as a name. */
  #refuse(statement: readonly Token[], { text, line }: Token): void {
    const [first] = statement;
    const leads = first === undefined || (statement.length === 1 && isLabel(first.text));
    const ofValue = statement.length === 1 && text !== '=' ? first?.text : undefined;
    const word = this.#scope.block === 'enum' ? ofValue : leads ? text : undefined;
    if (word !== undefined && Object.hasOwn(REFUSED, word)) throw this.faults.at(line, REFUSED[word] ?? '');
  }

  #open(statement: readonly Token[], brace: Token): void {
    const [word, name] = statement;
    if (!word || !name || statement.length !== 2 || !TYPE_WORDS.includes(word.text)) {
      throw this.faults.at(brace.line, 'unexpected "{"');
    }
    const outer = this.#scope;
    if (word.text === 'oneof') {
      this.#note(name);
      this.#scopes.push({ ...outer, block: 'oneof', before: this.#fields });
      return;
    }
    if (++this.#types > this.limits.maxTypes) {
      throw this.faults.at(word.line, `there are more than ${this.limits.maxTypes} messages and enums`);
    }
    this.#note(name);
    if (this.#scopes.length > this.limits.maxNesting) {
      throw this.faults.at(word.line, `messages are nested more than ${this.limits.maxNesting} deep`);
    }
    const path = pathOf(outer, name);
    this.#scopes.push({ block: word.text as Block, name: path, numbers: new Set(), before: this.#fields });
  }

  #close([rest]: readonly Token[], { line }: Token): void {
    if (rest || this.#scopes.length === 1) throw this.faults.at(line, 'unexpected "}"');
    const { block, before } = this.#scope;
    if (block === 'oneof' && before === this.#fields) throw this.faults.at(line, 'a oneof must have fields');
    this.#scopes.pop();
  }

  #end(statement: readonly Token[]): void {
    const [first, second, third] = statement;
    if (!first) return;
    if (this.#scope.block !== 'file') {
      this.#field(statement, first);
    } else if (first.text === 'syntax') {
      if (second?.text !== '=' || third?.text.slice(1, -1) !== 'proto3') {
        throw this.faults.at(first.line, 'the syntax must be "proto3"');
      }
      if (this.#hasSyntax) throw this.faults.at(first.line, 'the syntax is there twice');
      this.#hasSyntax = true;
    } else if (first.text === 'package' && (second?.text.split('.').length ?? 0) > this.limits.maxNesting) {
      throw this.faults.at(first.line, `the package has more than ${this.limits.maxNesting} parts`);
    }
  }

  /** `optional int64 ts = 1` or `ON = 1`. */
  #field(statement: readonly Token[], first: Token): void {
    const equals = statement.findIndex(({ text }) => text === '=');
    const [name, number] = [statement[equals - 1], statement[equals + 1]];
    if (equals < 0 || !name || !number || statement.length !== equals + 2) {
      throw this.faults.at(first.line, `${this.#scope.block === 'enum' ? 'a value' : 'a field'} ends with "= number;"`);
    }
    if (++this.#fields > this.limits.maxFields) {
      throw this.faults.at(first.line, `there are more than ${this.limits.maxFields} fields and values of enums`);
    }
    this.#note(name);
    // Values of enums stand beside their enum, as far as names go.
    if (this.#scope.block === 'enum') this.#note(name, this.#scopes[this.#scopes.length - 2]);
    if (this.#scope.block === 'message' && first.text === 'optional' && equals === 3) {
      this.#optional.add(pathOf(this.#scope, name));
      this.#leftOut.add(first);
    }
    const value = wholeNumber(number.text);
    if (value === undefined) throw this.faults.at(number.line, `'${number.text}' is no number`);
    if (this.#scope.numbers.has(value)) {
      throw this.faults.at(name.line, `'${name.text}' has the number ${value} of another`);
    }
    this.#scope.numbers.add(value);
  }

  #note(name: Token, scope = this.#scope): void {
    const path = pathOf(scope, name);
    if (this.#lines.has(path)) throw this.faults.at(name.line, `'${name.text}' is there twice`);
    this.#lines.set(path, name.line);
  }
}

const pathOf = ({ name }: Scope, { text }: Token): string => (name === '' ? text : `${name}.${text}`);

const isLabel = (word: string): boolean => word === 'optional' || word === 'repeated';

/** Decimal, hexadecimal or octal, as the parser reads it. */
function wholeNumber(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const digits = sign === -1 ? text.slice(1) : text;
  if (/^(?:0|[1-9][0-9]*)$/.test(digits)) return sign * Number.parseInt(digits, 10);
  if (/^0x[0-9a-fA-F]+$/.test(digits)) return sign * Number.parseInt(digits, 16);
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8);
  return undefined;
}
