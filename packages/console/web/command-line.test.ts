import { readCommandLine } from './command-line';

it.each([
  ['setLed {"on":true}', 'setLed', '{"on":true}'],
  ['  reboot  ', 'reboot', '{}'],
  ['say "two words"', 'say', '"two words"'],
  ['many {"a": 1,\n "b": 2}', 'many', '{"a": 1,\n "b": 2}'],
  ['big 9007199254740993', 'big', '9007199254740993'],
])('%j is a method and its parameters, as they were typed', (line, method, params) => {
  expect(readCommandLine(line)).toEqual({ method, params });
});

it.each([
  ['', 'Type a method'],
  ['   ', 'Type a method'],
  ['setLed on', 'The parameters are not JSON: on'],
  ['setLed {on:true}', 'The parameters are not JSON: {on:true}'],
])('%j is refused, and the sentence says how it goes', (line, sentence) => {
  expect(() => readCommandLine(line)).toThrow(sentence);
});
