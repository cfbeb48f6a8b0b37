import type { SchemaFaults } from './schema-faults';

/** A word, number, text or sign of a schema, and the line it stands in, counted from 1. */
export interface Token {
  readonly text: string;
  readonly line: number;
}

/** Longer words are no names that a profile has. */
const MAX_WORD = 255;

const SPACE = /[ \t\r\f\v\n]+/y;
const LINE_COMMENT = /\/\/[^\n\r]*/y;
const LINE_END = /\r\n?|\n/g;
const BYTE_ORDER_MARK = '\uFEFF';
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y;
/** Words with their dots, numbers with whatever hangs on them, texts without an escape, signs. */
const TOKEN =
  /\.?[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|-?[0-9][A-Za-z0-9_.+]*|"[^"\\\n]*"|'[^'\\\n]*'|[{}[\]()<>=;,:]/y;

/** @throws TandemError BAD_REQUEST for what is no token of the language, in one walk over the source */
export function* tokensOf(source: string, faults: SchemaFaults): Generator<Token> {
  let at = source.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let line = 1;
  const match = (expression: RegExp): string | undefined => {
    expression.lastIndex = at;
    const text = expression.exec(source)?.[0];
    if (text === undefined) return undefined;
    at += text.length;
    return text;
  };
  while (at < source.length) {
    const skipped = match(SPACE) ?? match(LINE_COMMENT) ?? match(BLOCK_COMMENT);
    if (skipped !== undefined) {
      line += skipped.match(LINE_END)?.length ?? 0;
      continue;
    }
    const text = match(TOKEN);
    if (text === undefined) throw faults.at(line, `unexpected ${JSON.stringify(characterAt(source, at))}`);
    if (text.length > MAX_WORD) throw faults.at(line, `a name is longer than ${MAX_WORD} characters`);
    if (text.split('.').includes('__proto__')) throw faults.at(line, "'__proto__' cannot be a name");
    yield { text, line };
  }
}

/**
 * The same tokens, the package before everything else but the syntax: protobuf lets it stand anywhere at the top, and the
 * parser does not.
 */
export function packageFirst(tokens: readonly Token[]): readonly Token[] {
  let depth = 0;
  let begins = true;
  for (const [at, { text }] of tokens.entries()) {
    if (begins && depth === 0 && text === 'package') {
      const end = tokens.findIndex((token, n) => n > at && token.text === ';') + 1;
      const [first] = tokens;
      const moved = tokens.slice(at, end).map((token) => ({ ...token, line: first?.line ?? 1 }));
      return [...moved, ...tokens.slice(0, at), ...tokens.slice(end)];
    }
    if (text === '{') depth++;
    if (text === '}') depth--;
    begins = text === ';' || text === '{' || text === '}';
  }
  return tokens;
}

/** The same schema without comments, every token in its line: what is read then is what was checked. */
export function sourceOf(tokens: readonly Token[]): string {
  let source = '';
  let line = 1;
  for (const token of tokens) {
    source += token.line > line ? '\n'.repeat(token.line - line) : ' ';
    source += token.text;
    line = token.line;
  }
  return source;
}

const characterAt = (source: string, at: number): string => String.fromCodePoint(source.codePointAt(at) ?? 0);
