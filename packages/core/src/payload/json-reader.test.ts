import { TandemError } from '../errors';
import { compactJson } from './compact-json';
import { parseAttributes, parseTelemetry, splitJsonObject } from './index';
import { readJsonDocument } from './json-reader';

function refusal(text: string): string {
  try {
    compactJson(text);
  } catch (error) {
    if (error instanceof TandemError && error.code === 'BAD_PAYLOAD') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('what the lenient reader understands (contract 3.1)', () => {
  it.each([
    ['names and strings without quotes', '{ a : b , c_d-e.f : g+h }', '{"a":"b","c_d-e.f":"g+h"}'],
    ['a name that looks like a number or a word', '{1:1,true:2,null:3}', '{"1":1,"true":2,"null":3}'],
    ['quotes inside a word', '{a"b:c\'d}', '{"a\\"b":"c\'d"}'],
    ['single quotes', `{'a "b"':'c\\'d'}`, '{"a \\"b\\"":"c\'d"}'],
    ['semicolons', '{a:[1;2];b:3}', '{"a":[1,2],"b":3}'],
    ['equals signs and arrows', '{a=1,b=>2,c = >}', '{"a":1,"b":2,"c":">"}'],
    ['an arrow with blanks around', '{a => 1}', '{"a":1}'],
    ['comments everywhere', '#0\n{/**/a//1\r:/* * / */1#2\n,b:2}//3', '{"a":1,"b":2}'],
    ['words in any letter case', '[TRUE,tRuE,False,NULL,nulL]', '[true,true,false,null,null]'],
    ['words that only begin like JSON words', '[trueish,nul,falsey]', '["trueish","nul","falsey"]'],
    ['a byte order mark, then the guard prefix', `\ufeff \n)]}'\n{a:1}`, '{"a":1}'],
    ['a duplicate name, which keeps its first place', '{a:1,b:2,a:{c:3}}', '{"a":{"c":3},"b":2}'],
    ['integer-like names in their written order', '{"b":1,"7":2,"1":3}', '{"b":1,"7":2,"1":3}'],
    ['raw control characters', '"a\n\t\u0000b"', '"a\\n\\t\\u0000b"'],
    ['escapes', '"\\u0041\\t\\b\\n\\r\\f\\\\\\/\\"\\\'\\\n"', '"A\\t\\b\\n\\r\\f\\\\/\\"\'\\n"'],
    ['half of a surrogate pair', '"\\ud800"', '"\\ud800"'],
    [
      'things that are no numbers',
      '[+5,5.,0x1F,NaN,-Infinity,1e,.,-,01e5,1.2.3]',
      '["+5","5.","0x1F","NaN","-Infinity","1e",".","-","01e5","1.2.3"]',
    ],
    ['a comma before the end of an array', '[1,]', '[1,null]'],
    ['an empty array with comments', '[ /* nothing */ ]', '[]'],
    ['number texts as written', '[42.0,1.50,1E+2,-0,12345678901234567890]', '[42.0,1.50,1E+2,-0,12345678901234567890]'],
    ['a lone value', ' .5 ', '0.5'],
  ])('%s', (_what, text, expected) => {
    expect(compactJson(text)).toBe(expected);
  });

  it.each([
    ['a comma before the end of an object', '{"a":1,}', 'expected a name'],
    ['two commas in an object', '{"a":1,,"b":2}', 'expected a name'],
    ['two commas in an array', '[1,,2]', 'expected a value'],
    ['a comma first in an array', '[,1]', 'expected a value'],
    ['a missing colon', '{"a" 1}', 'expected a colon'],
    ['a missing value', '{"a":}', 'expected a value'],
    ['a missing comma', '{"a":1 "b":2}', 'expected a comma'],
    ['text after the document', '{"a":1}x', 'text after the document'],
    ['a second document', '{"a":1} {"b":2}', 'text after the document'],
    ['two words', 'hello world', 'text after the document'],
    ['an unclosed object', '{"a":1', 'expected a comma or the end'],
    ['an unclosed array', '[1', 'expected a comma or the end'],
    ['an unclosed string', '{"a":"b', 'unterminated string'],
    ['an unclosed string with an escape', '"a\\n', 'unterminated string'],
    ['a string that ends in a backslash', '"a\\', 'invalid escape'],
    ['an unclosed comment', '/*/', 'unterminated comment'],
    ['a lone slash', '/ 1', 'expected a value'],
    ['an escape JSON does not know', '"\\x41"', 'invalid escape'],
    ['an escape of too few digits', '"\\u12"', 'invalid escape'],
    ['a backslash in a word', '{a:b\\c}', 'expected a comma'],
    ['the wrong bracket', '[1}', 'expected a comma'],
    ['nothing', '', 'blank'],
    ['blanks and comments', ' \n#', 'blank'],
  ])('refuses %s', (_what, text, words) => {
    expect(refusal(text)).toContain(words);
  });

  it('keeps the last value of a name that comes again after hundreds of others', () => {
    const names = Array.from({ length: 300 }, (_, i) => `k${i}`);
    const members = (value: number) => names.map((name) => `"${name}":${value}`).join();
    expect(compactJson(`{${members(1)},${members(2)}}`)).toBe(`{${members(2)}}`);
  });

  it('tells a word without quotes from a string', () => {
    expect(
      ['hello', '"hello"', "'hello'", '[hello]', '1', 'NULL'].map((text) => readJsonDocument(text)?.bareWord),
    ).toEqual([true, false, false, false, false, false]);
  });

  it('names the members of an object with their JSON, in order', () => {
    expect([...splitJsonObject('{method:setGpio,"params":{"pin": 7.0},"timeout":500,"7":null}')]).toEqual([
      ['method', '"setGpio"'],
      ['params', '{"pin":7.0}'],
      ['timeout', '500'],
      ['7', 'null'],
    ]);
    expect(() => splitJsonObject(Buffer.from('[]'))).toThrow("Can't parse value: []");
  });
});

describe('hostile input', () => {
  const settings = { typeCast: true, maxStringLength: 0 };
  const MILLION = 1_000_000;

  it('refuses a document of more than 100,000 values, and reads one of as many', () => {
    const list = (items: number) => `[${'1,'.repeat(items - 1)}1]`;
    expect(compactJson(list(99_999))).toHaveLength(2 * 99_999 + 1);
    expect(refusal(list(100_000))).toContain('more than 100000 values');
  });

  it('takes 255 levels and refuses the 256th', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(compactJson(nested(255))).toBe(nested(255));
    expect(refusal(nested(256))).toContain('nested more than 255 deep');
  });

  it('counts levels that are open, not all that were', () => {
    const many = `[${'[[]],'.repeat(300)}[]]`;
    expect(compactJson(many)).toBe(many);
  });

  it.each([
    ['50 MB of opening brackets', '['.repeat(50 * MILLION)],
    ['objects in objects', '{"a":'.repeat(MILLION)],
    ['comment signs', '#'.repeat(MILLION)],
    ['comment openings', '/*'.repeat(MILLION)],
    ['quotes', '"'.repeat(MILLION)],
    ['backslashes', `"${'\\'.repeat(MILLION)}`],
    ['a huge number', `{"a":${'7'.repeat(MILLION)}}`],
    ['a huge exponent', `{"a":1e${'7'.repeat(MILLION)}}`],
    ['a huge fraction', `{"a":0.${'0'.repeat(MILLION)}1}`],
  ])('refuses %s: in quadratic time this would not end before the time limit of a test', (_what, text) => {
    expect(() => parseTelemetry(Buffer.from(text), 0, settings)).toThrow(TandemError);
  });

  it.each([
    ['comments', `${'#\n'.repeat(MILLION)}{"a":1}`],
    ['members', `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join()}}`],
    ['members of one name', `{${'"a":1,'.repeat(99_000)}"a":2}`],
    ['escapes', `{"a":"${'\\n'.repeat(MILLION)}"}`],
    ['digits that turn out to be none', `{"a":"${'1'.repeat(MILLION)}x1"}`],
    ['digits of another script', `{"a":"${'٤'.repeat(MILLION)}"}`],
    ['digits of another script that turn out to be none', `{"a":"${'٤'.repeat(MILLION)}x٤"}`],
    ['leading zeros', `{"a":${'0'.repeat(MILLION)}7}`],
    ['zeros that an exponent takes back', `{"a":1${'0'.repeat(MILLION)}e-${MILLION}}`],
    ['elements', `{"a":[${'1.5,'.repeat(99_000)}{}]}`],
  ])('reads very many %s: in quadratic time this would not end before the time limit of a test', (_what, text) => {
    expect(parseTelemetry(Buffer.from(text), 0, settings).lines).toMatch(/^0 {[^\n]*}$/);
  });

  it('takes names that mean something to JavaScript as ordinary ones', () => {
    const body =
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,"a":{"__proto__":5}}';
    const { entries } = parseAttributes(Buffer.from(body), settings);
    expect(entries).toEqual([
      { key: '__proto__', value: '{"polluted":true}' },
      { key: 'constructor', value: '{"prototype":{"polluted":true}}' },
      { key: 'toString', value: '1' },
      { key: 'a', value: '{"__proto__":5}' },
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('reads bytes that are not UTF-8 as replacement characters', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
    expect(parseAttributes(bytes, settings).entries).toEqual([{ key: 'a', value: '"\ufffd\ufffd"' }]);
  });
});
