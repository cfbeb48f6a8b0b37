import { type ExactValue, exactValue, jsonOf, parseExactly, parseMarked, plainNumber } from './exact-json';

it.each([
  ['"42"', { type: 'text', text: '42' }],
  ['true', { type: 'boolean', text: 'true' }],
  ['7', { type: 'number', text: '7' }],
  ['{"a":[1,"b",null,{"c":false}]}', { type: 'json', text: '{"a":[1,"b",null,{"c":false}]}' }],
  ['null', { type: 'json', text: 'null' }],
])('%s is shown with its type', (json, shown) => {
  expect(exactValue(parseExactly(json))).toEqual(shown);
});

it('Numbers keep their digits', () => {
  expect(exactValue(parseExactly('42.0')).text).toBe('42.0');
  expect(exactValue(parseExactly('{"big":9007199254740993}')).text).toBe('{"big":9007199254740993}');
  expect(plainNumber(parseExactly('1700000000000'))).toBe(1700000000000);
});

it.each([
  '42.0',
  '9223372036854775807',
  '{"n":9223372036854775807,"d":42.0,"e":[-1.50e+2,"-7","t\\"8\\\\",{"__proto__":1,"":0.10}],"no":null,"yes":true}',
  '"12"',
  '[]',
])('%s keeps its digits in every browser', (json) => {
  const { type, text } = exactValue(parseMarked(json));
  expect(type === 'text' ? JSON.stringify(text) : text).toBe(json);
});

it('What is no JSON is refused in every browser', () => {
  expect(() => parseMarked('{"a":1-2}')).toThrow(SyntaxError);
  expect(() => parseMarked('<html>')).toThrow(SyntaxError);
});

it.each<[ExactValue, string]>([
  [{ type: 'text', text: ' a "b" ' }, '" a \\"b\\" "'],
  [{ type: 'number', text: ' 9007199254740993 ' }, '9007199254740993'],
  [{ type: 'number', text: '42.0' }, '42.0'],
  [{ type: 'boolean', text: 'false' }, 'false'],
  [{ type: 'json', text: '{"a":1.0}' }, '{"a":1.0}'],
])('%j is sent as it was typed', (typed, json) => {
  expect(jsonOf(typed)).toBe(json);
});

it.each<[ExactValue, string]>([
  [{ type: 'number', text: 'high' }, 'high is not a number.'],
  [{ type: 'number', text: '' }, 'Nothing is not a number.'],
  [{ type: 'number', text: '"1"' }, '"1" is not a number.'],
  [{ type: 'boolean', text: 'yes' }, 'A boolean is true or false.'],
  [{ type: 'json', text: '{a:1}' }, 'That is not valid JSON.'],
])('%j is refused in a sentence', (typed, sentence) => {
  expect(() => jsonOf(typed)).toThrow(sentence);
});
