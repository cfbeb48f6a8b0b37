import { attributeQuery } from './attribute-query';

it.each<[options: string[], clientKeys: string[] | undefined, sharedKeys: string[] | undefined]>([
  [[], undefined, undefined],
  [['clientKeys=a,b', 'sharedKeys=c'], ['a', 'b'], ['c']],
  [['sharedKeys=c'], undefined, ['c']],
  [['clientKeys='], undefined, undefined],
  [['clientKeys'], undefined, undefined],
  [['=a'], undefined, undefined],
  [['clientKeys=a=b'], undefined, undefined],
  [['clientKeys=a=b', 'clientKeys=c'], ['c'], undefined],
  [['clientKeys=a', 'clientKeys=b'], ['a'], undefined],
  [['clientkeys=a'], undefined, undefined],
  [['clientKeys= a'], [' a'], undefined],
  [['clientKeys=,a,,b,,'], ['', 'a', '', 'b'], undefined],
  [['clientKeys=,'], [], undefined],
])('the query %j asks for client keys %j and shared keys %j (contract 2.5.1)', (options, clientKeys, sharedKeys) => {
  expect(attributeQuery(options)).toEqual({ clientKeys, sharedKeys });
});
