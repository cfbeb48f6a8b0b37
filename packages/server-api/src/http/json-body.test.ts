import { MAX_VALUES } from '@tandem/core';
import { parseStrictly } from './json-body';

const parse = (text: string) => parseStrictly(Buffer.from(text));
const members = (count: number) => `{${Array.from({ length: count }, (_, n) => `"k${n}":[]`).join(',')}}`;

describe('a body of the server API', () => {
  it('may hold as many values as a payload of a device', () => {
    expect(Object.keys(parse(members(MAX_VALUES - 1))?.value ?? {})).toHaveLength(MAX_VALUES - 1);
  });

  it.each([
    ['small lists', `{"a":[${'[[[1]]],'.repeat(MAX_VALUES)}1]}`],
    ['numbers', `[${'0,'.repeat(3 * MAX_VALUES)}0]`],
    ['members', members(MAX_VALUES + 1)],
  ])('is refused unread when it holds many more: %s', (_case, text) => {
    const reading = jest.spyOn(JSON, 'parse');
    expect(() => parse(text)).toThrow('The request body holds more than 100000 values');
    expect(reading).not.toHaveBeenCalled();
    reading.mockRestore();
  });

  it('may have any number of commas, colons and brackets within a text', () => {
    const text = '\\"[{,:'.repeat(MAX_VALUES);
    expect(parse(`{"a":"${text}"}`)?.value).toEqual({ a: '"[{,:'.repeat(MAX_VALUES) });
  });

  it.each(['', '{', '"', '"\\', '{"a":1}}', '['.repeat(300) + ']'.repeat(300)])('is none when it is %j', (text) => {
    expect(parse(text)).toBeUndefined();
  });
});
