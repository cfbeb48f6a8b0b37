import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { faultOf, HEAD, read, shape } from './testing/schema-under-test';

describe('A schema', () => {
  it('gives the fields of its message by number, with their types and whether they can be absent', () => {
    const { message } = read(`
      syntax = 'proto3'; // of a device
      package test.readings;
      /* message Commented { string a = 1; } */
      message SensorDataReading {
        optional double temperature = 2;
        InnerObject innerObject = 3;
        message InnerObject { optional string key1 = 1; bool key_2 = 0x2; Mode mode = 010; }
        enum Mode { OFF = 0; ON = 1; BROKEN = -1; }
        repeated int64 counts = 1;
        oneof either { string left_hand = 5; uint32 right = 6; }
      }`);
    const plain = { repeated: false, hasPresence: false, optional: false, oneof: undefined };
    const scalar = (name: string) => ({ kind: 'scalar', name });
    expect(message).toEqual({
      kind: 'message',
      name: 'SensorDataReading',
      fields: [
        { ...plain, name: 'counts', jsonName: 'counts', number: 1, type: scalar('int64'), repeated: true },
        {
          ...plain,
          ...{ name: 'temperature', jsonName: 'temperature', number: 2, type: scalar('double') },
          ...{ optional: true, hasPresence: true },
        },
        {
          ...plain,
          ...{ name: 'innerObject', jsonName: 'innerObject', number: 3, hasPresence: true },
          type: {
            kind: 'message',
            name: 'SensorDataReading.InnerObject',
            fields: [
              {
                ...plain,
                ...{ name: 'key1', jsonName: 'key1', number: 1, type: scalar('string') },
                ...{ optional: true, hasPresence: true },
              },
              { ...plain, name: 'key_2', jsonName: 'key2', number: 2, type: scalar('bool') },
              {
                ...plain,
                ...{ name: 'mode', jsonName: 'mode', number: 8 },
                type: {
                  kind: 'enum',
                  name: 'SensorDataReading.Mode',
                  names: new Map([
                    [0, 'OFF'],
                    [1, 'ON'],
                    [-1, 'BROKEN'],
                  ]),
                },
              },
            ],
          },
        },
        {
          ...plain,
          ...{ name: 'left_hand', jsonName: 'leftHand', number: 5, type: scalar('string') },
          ...{ hasPresence: true, oneof: 'either' },
        },
        {
          ...plain,
          ...{ name: 'right', jsonName: 'right', number: 6, type: scalar('uint32') },
          ...{ hasPresence: true, oneof: 'either' },
        },
      ],
    });
  });

  it.each([
    [
      'the last of two messages is meant',
      'message A { B b = 1; } message B { string s = 1; }',
      ['B', [1, 's', 'string']],
    ],
    ['enums behind it do not count', 'message A { E e = 1; } enum E { NONE = 0; }', ['A', [1, 'e', 'E']]],
    ['an empty message is one', 'message A {};', ['A']],
    [
      'names are looked up from the inside out',
      'enum T { OUTER = 0; } message A { message T { bool b = 1; } T t = 1; .T u = 2; }',
      ['A', [1, 't', ['A.T', [1, 'b', 'bool']]], [2, 'u', 'T']],
    ],
    [
      'words of the language, and names that objects have in JavaScript, can be names',
      'message message { string option = 1; int32 repeated = 2; bool constructor = 3; bytes toString = 4; }',
      [
        'message',
        [1, 'option', 'string'],
        [2, 'repeated', 'int32'],
        [3, 'constructor', 'bool'],
        [4, 'toString', 'bytes'],
      ],
    ],
    [
      'a message may be called as objects have it in JavaScript',
      'message A { message constructor { bool valueOf = 1; } constructor c = 1; }',
      ['A', [1, 'c', ['A.constructor', [1, 'valueOf', 'bool']]]],
    ],
  ])('is read so that %s', (_case, body, expected) => {
    expect(shape(read(HEAD + body).message)).toEqual(expected);
  });

  it.each([
    ['nothing', '', 'line 1: the syntax must be "proto3"'],
    ['no syntax', 'message A { string a = 1; }', 'line 1: the syntax must be "proto3"'],
    ['proto2', '\nsyntax = "proto2";', 'line 2: the syntax must be "proto3"'],
    ['an edition', 'edition = "2023";', 'line 1: the syntax must be "proto3"'],
    ['no message', `${HEAD}enum E { A = 0; }`, 'schema: there is no message'],
    ['an import', `${HEAD}\nimport "google/protobuf/any.proto";`, 'line 3: imports are not supported'],
    ['a public import', `${HEAD}import public "a.proto";`, 'line 2: imports are not supported'],
    ['an option', `${HEAD}option java_package = "a";`, 'line 2: options are not supported'],
    ['an option of a message', `${HEAD}message A {\n option deprecated = true; }`, 'line 3: options are not supported'],
    [
      'an option of a field',
      `${HEAD}message A { string a = 1\n [deprecated = true]; }`,
      'line 3: options are not supp',
    ],
    ['a default value', `${HEAD}message A { string a = 1 [default = "x"]; }`, 'line 2: options are not supported'],
    [
      'an option of an enum',
      `${HEAD}message A {} enum E { option allow_alias = true; Z = 0; }`,
      'line 2: options are not s',
    ],
    ['an extension', `${HEAD}message A {}\nextend A { string a = 1; }`, 'line 3: extensions are not supported'],
    ['room for extensions', `${HEAD}message A { extensions 4 to 9; }`, 'line 2: extensions are not supported'],
    ['reserved numbers', `${HEAD}message A {\n\nreserved 2, 5 to 9; }`, 'line 4: reserved elements are not supported'],
    ['a group', `${HEAD}message A { repeated group B = 1 { } }`, 'line 2: groups are not supported'],
    ['a required field', `${HEAD}message A { required string a = 1; }`, 'line 2: required fields are not supported'],
    ['a map', `${HEAD}message A { map<string, int32> m = 1; }`, 'line 2: map fields are not supported'],
    ['a service', `${HEAD}message A {} service S { rpc Do (A) returns (A); }`, 'line 2: services are not supported'],
    ['an unknown type', `${HEAD}message A {\n  Missing m = 1;\n}`, "line 3: there is no type 'Missing'"],
    [
      'an unknown type where it is not used',
      `${HEAD}message A { Gone g = 1; }\nmessage B {}`,
      "line 2: there is no type 'Gone'",
    ],
    ['a type called as objects have it', `${HEAD}message A { toString t = 1; }`, "line 2: there is no type 'toString'"],
    ['a message that holds itself', `${HEAD}message A {\n repeated A a = 1; }`, "line 2: 'A' holds itself"],
    [
      'messages that hold each other',
      `${HEAD}message A { B b = 1; }\nmessage B { A a = 1; }`,
      "line 2: 'A' holds itself",
    ],
    ['a name twice', `${HEAD}message A {\n string a = 1;\n int32 a = 2; }`, "line 4: 'a' is there twice"],
    ['a message twice', `${HEAD}message A {}\nmessage A {}`, "line 3: 'A' is there twice"],
    [
      'a number twice',
      `${HEAD}message A {\n string a = 1;\n int32 b = 0x1; }`,
      "line 4: 'b' has the number 1 of another",
    ],
    [
      'a number twice in a oneof',
      `${HEAD}message A { string a = 1; oneof o {\n int32 b = 1; } }`,
      "line 3: 'b' has the number",
    ],
    [
      'one name in JSON for two',
      `${HEAD}message A {\n bool a_b = 1;\n bool aB = 2; }`,
      "line 4: 'aB' and 'a_b' are 'aB' both",
    ],
    ['the number 0', `${HEAD}message A { bool a = 0; }`, "line 2: 'a' cannot have the number 0"],
    ['a number of the language', `${HEAD}message A { bool a = 19500; }`, "line 2: 'a' cannot have the number 19500"],
    ['a number beyond all', `${HEAD}message A { bool a = 536870912; }`, "line 2: 'a' cannot have the number 536870912"],
    ['max as a number', `${HEAD}message A { bool a = max; }`, "line 2: 'max' is no number"],
    ['a broken number', `${HEAD}message A { bool a = 1.5; }`, "line 2: '1.5' is no number"],
    ['no number', `${HEAD}message A {\n bool a; }`, 'line 3: a field ends with "= number;"'],
    [
      'an enum without 0',
      `${HEAD}message A {}\nenum E { ONE = 1; }`,
      "line 3: the first value of 'E' must have the number 0",
    ],
    [
      'an enum with an alias',
      `${HEAD}message A {}\nenum E { A1 = 0;\n B1 = 0; }`,
      "line 4: 'B1' has the number 0 of another",
    ],
    ['an enum beyond 32 bits', `${HEAD}message A {} enum E { Z = 0; B = 2147483648; }`, "'B' cannot have the number"],
    ['an empty enum', `${HEAD}message A {} enum E { }`, "the first value of 'E' must have the number 0"],
    ['a name of the machine', `${HEAD}message A { string __proto__ = 1; }`, "line 2: '__proto__' cannot be a name"],
    ['a foreign character', `${HEAD}message Ä { }`, 'line 2: unexpected "Ä"'],
    ['a comment without end', `${HEAD}message A { } /* `, 'line 2: unexpected "/"'],
    ['a text without end', `${HEAD}package "a;`, 'line 2: unexpected "\\""'],
    ['no closing brace', `${HEAD}message A {\n string a = 1;`, 'line 3: the schema ends within a statement'],
    ['a brace too many', `${HEAD}message A { } }`, 'line 2: unexpected "}"'],
    ['an open statement', `${HEAD}message A { string a }`, 'line 2: unexpected "}"'],
    ['a body of nothing', `${HEAD}\n{ }`, 'line 3: unexpected "{"'],
    ['a word that is no statement', `${HEAD}message A { }\nhello world;`, "line 3: illegal token 'hello'"],
    ['JSON', '{"a":1}', 'line 1: unexpected'],
  ])('is refused with its line when it has %s', (_case, source, expected) => {
    expect(faultOf(source)).toContain(expected);
    expect(faultOf(source)).toMatch(/^schema(, line \d+)?: /);
  });

  const many = (count: number, one: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => one(n)).join('\n');
  it.each([
    ['longer', `${HEAD}// ${'ü'.repeat(33_000)}\nmessage A {}`, 'the schema is longer than 65536 bytes'],
    ['of more types', HEAD + many(11, (n) => `message M${n} {}`), 'line 12: there are more than 10 messages and enums'],
    [
      'of more fields',
      `${HEAD}message A {\n${many(21, (n) => `bool f${n} = ${n + 1};`)} }`,
      'line 23: there are more than 20',
    ],
    [
      'of more values',
      `${HEAD}message A {} enum E {\n${many(21, (n) => `V${n} = ${n};`)} }`,
      'line 23: there are more than 20',
    ],
    ['deeper as declared', HEAD + many(5, (n) => `message M${n} {`), 'line 6: messages are nested more than 4 deep'],
    [
      'deeper as fields refer to each other',
      `${HEAD}${many(5, (n) => `message M${n} { ${n < 4 ? `M${n + 1} m = 1;` : ''} }`)}`,
      'line 2: messages are nested more than 4 deep',
    ],
    [
      'of a package of more parts',
      `${HEAD}package a.b.c.d.e; message A {}`,
      'line 2: the package has more than 4 parts',
    ],
    ['of longer names', `${HEAD}message ${'x'.repeat(256)} {}`, 'line 2: a name is longer than 255 characters'],
  ])('is refused when it is %s than the limit', (_case, source, expected) => {
    expect(faultOf(source)).toContain(expected);
  });

  it('costs little, whatever it holds', () => {
    const repeat = (text: string) => HEAD + text.repeat(Math.floor(65_000 / text.length));
    for (const text of [
      '"\\"',
      '/*',
      '/**/',
      '//\n',
      '{',
      '}',
      '[',
      '.',
      'a.',
      "'",
      ';',
      '=',
      'message A {',
      'x ',
      '\n',
      'optional ',
    ]) {
      const begin = process.cpuUsage();
      faultOf(repeat(text));
      const { user, system } = process.cpuUsage(begin);
      expect([text, (user + system) / 1_000 < 1_000]).toEqual([text, true]);
    }
  });

  it('is read or refused in words, never anything else', () => {
    const words = [
      'message',
      'enum',
      'oneof',
      'optional',
      'repeated',
      'string',
      'A',
      'b',
      '.A',
      'a.b',
      '=',
      '1',
      '0',
      '-1',
      '{',
      '}',
    ];
    const signs = [
      ';',
      ';',
      '[',
      ']',
      '<',
      '>',
      '(',
      ')',
      ',',
      ':',
      '"x"',
      'map',
      'group',
      'package',
      'syntax',
      '"proto3"',
      '\n',
      '/*',
      '*/',
    ];
    const sources = fc.array(fc.constantFrom(...words, ...signs), { maxLength: 40 }).map((parts) => parts.join(' '));
    const isAnswered = (source: string) => typeof faultOf(source) === 'string';
    fc.assert(fc.property(sources, (source) => isAnswered(HEAD + source)));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (source) => isAnswered(source) && isAnswered(HEAD + source)));
  });

  it('is read without code being generated', () => {
    const script = `
      const { checkPayloadSchemas, StoredSchemas } = require(${JSON.stringify(require.resolve('@tandem/core').replace('/src/index.ts', '/dist/payload/protobuf/index.js'))});
      const schema = 'syntax = "proto3"; message A { string a = 1; }';
      const sources = { deviceTelemetryProtoSchema: schema, deviceAttributesProtoSchema: schema };
      const limits = { maxBytes: 1000, maxTypes: 10, maxFields: 10, maxNesting: 4 };
      checkPayloadSchemas(sources, limits);
      console.log(new StoredSchemas(sources, limits).rpcRequest.name);`;
    const answer = execFileSync(process.execPath, ['--disallow-code-generation-from-strings', '-e', script]);
    expect(answer.toString()).toBe('RpcRequestMsg\n');
  });
});

describe('What protobuf takes of a schema', () => {
  it.each([
    ['a byte order mark before it', '\uFEFFsyntax = "proto3"; message A { double a = 1; }'],
    ['comments that end with a carriage return', 'syntax = "proto3"; // one\rmessage A { // two\r  double a = 1;\r}'],
    [
      'its package behind messages',
      'syntax = "proto3"; message A { .p.q.B b = 1; }\npackage p.q; message B { double a = 1; }',
    ],
    [
      'a oneof of the name that the parser gives an optional field',
      `${HEAD}message A { optional int32 a = 1; oneof _a { int32 b = 2; } }`,
    ],
    ['optional fields of such names', `${HEAD}message A { optional int32 a = 1; optional int32 _a = 2; }`],
  ])('is %s', (_case, source) => {
    expect(faultOf(source)).toBe('none');
  });

  it('keeps the line behind other ends of lines', () => {
    expect(faultOf('syntax = "proto3";\r// one\r\r\nmessage A {\r\n double a = 1;\n wrong b = 2; }')).toBe(
      "schema, line 6: there is no type 'wrong'",
    );
  });

  it('tells optional fields and members of a oneof apart', () => {
    const { fields } = read(
      `${HEAD}message A { optional int32 a = 1; oneof _a { int32 b = 2; } int32 c = 3; }`,
    ).message;
    expect(fields.map(({ optional, oneof, hasPresence }) => [optional, oneof, hasPresence])).toEqual([
      [true, undefined, true],
      [false, '_a', true],
      [false, undefined, false],
    ]);
  });

  it.each([
    ['a second syntax', 'syntax = "proto3";\nmessage A { double a = 1; }', 'schema, line 2: the syntax is there twice'],
    ['a oneof of nothing', 'message A {\n oneof x {\n } }', 'schema, line 4: a oneof must have fields'],
    [
      'a value of two enums',
      'enum A { X = 0; }\nenum B { X = 0; } message M { A a = 1; }',
      "schema, line 3: 'X' is there twice",
    ],
    [
      'a value of the name of a field',
      'message M { enum A { a = 0; }\n A a = 1; }',
      "schema, line 3: 'a' is there twice",
    ],
    ['a second package', 'package a; message M { }\npackage b;', "schema, line 3: illegal token 'package'"],
    ['an optional member of a oneof', 'message M {\n oneof x { optional int32 a = 1; } }', 'schema, line 3: '],
    ['optional twice over', 'message M {\n optional repeated int32 a = 1; }', 'schema, line 3: '],
  ])('is not %s', (_case, body, fault) => {
    expect(faultOf(`${HEAD}${body}`)).toContain(fault);
  });

  it('may hold the same value in enums of two messages', () => {
    const body = 'message A { enum E { X = 0; } E e = 1; } message B { enum E { X = 0; } E e = 1; A a = 2; }';
    expect(faultOf(`${HEAD}${body}`)).toBe('none');
  });
});
