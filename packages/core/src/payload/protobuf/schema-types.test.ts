import { faultOf, HEAD, read, shape } from './testing/schema-under-test';

describe('Names of types', () => {
  const fieldsOf = (body: string) => shape(read(`${HEAD}${body}`).message);
  it.each<[string, string, unknown]>([
    [
      'around a message, and not within what it holds',
      'message Inner { double outer = 1; } message A { message B { message Inner { double inner = 1; } double z = 1; } Inner i = 1; }',
      ['A', [1, 'i', ['Inner', [1, 'outer', 'double']]]],
    ],
    [
      'of enums as well',
      'enum E { OUT = 0; } message A { message B { enum E { IN = 0; } double z = 1; } E e = 1; }',
      ['A', [1, 'e', 'E']],
    ],
    [
      'in a package as well',
      'package p.q; message Inner { double outer = 1; } message A { message B { message Inner { double inner = 1; } double z = 1; } Inner i = 1; q.Inner j = 2; .p.q.Inner k = 3; p.q.A.B b = 4; }',
      [
        'A',
        ...['i', 'j', 'k'].map((name, n) => [n + 1, name, ['Inner', [1, 'outer', 'double']]]),
        [4, 'b', ['A.B', [1, 'z', 'double']]],
      ],
    ],
    [
      'in the innermost scope first',
      'message Inner { double outer = 1; } message A { message Inner { double inner = 1; } Inner i = 1; .Inner j = 2; }',
      ['A', [1, 'i', ['A.Inner', [1, 'inner', 'double']]], [2, 'j', ['Inner', [1, 'outer', 'double']]]],
    ],
    [
      'past a package and a field of that name',
      'package p; message M { message p { double z = 1; } message A { double M = 1; p x = 2; } A a = 1; }',
      ['M', [1, 'a', ['M.A', [1, 'M', 'double'], [2, 'x', ['M.p', [1, 'z', 'double']]]]]],
    ],
  ])('are looked for %s', (_case, body, fields) => {
    expect(fieldsOf(body)).toEqual(fields);
  });

  it.each([
    ['Inner', 'message Z { message Inner { double z = 1; } } message A { Inner i = 1; }'],
    ['B.C', 'message B { message C { double y = 1; } } message A { message B { double z = 1; } B.C e = 1; }'],
    ['A.A', 'message A { A.A a = 1; }'],
    ['E.X', 'enum E { X = 0; } message A { E.X x = 1; }'],
    ['.B', 'message A { message B { double z = 1; } .B b = 1; }'],
    ['p', 'package p; message A { p x = 1; }'],
    ['b', 'message A { double b = 1; b c = 2; }'],
    ['constructor', 'message A { constructor c = 1; }'],
  ])('that name nothing are refused: %s', (name, body) => {
    expect(faultOf(`${HEAD}${body}`)).toBe(`schema, line 2: there is no type '${name}'`);
  });
});
