import fc from 'fast-check';
import { type WrittenMessage, type WrittenOption, write } from './message-writer';

const bytes = (constraints: fc.IntArrayConstraints) => fc.uint8Array(constraints).map((array) => Buffer.from(array));
const textOption = (number: number, text: fc.Arbitrary<string>): fc.Arbitrary<WrittenOption> =>
  text.map((value) => ({ number, value: Buffer.from(value) }));
const anyLength = (number: number, maxLength: number): fc.Arbitrary<WrittenOption> =>
  bytes({ maxLength }).map((value) => ({ number, value }));

const OBSERVE = 6;
const URI_PATH = 11;
const CONTENT_FORMAT = 12;
const URI_QUERY = 15;
const ACCEPT = 17;
const BLOCK2 = 23;
const BLOCK1 = 27;
const SIZE1 = 60;

const observe = fc.oneof(
  fc.constantFrom(Buffer.alloc(0), Buffer.from([0]), Buffer.from([1]), Buffer.from([2])),
  bytes({ maxLength: 4 }),
);
/** Every value that a block option can have: number, more, size exponent, the reserved 7 among them. */
const blockValue = fc
  .record({
    number: fc.oneof(fc.nat(3), fc.nat((1 << 20) - 1)),
    more: fc.boolean(),
    exponent: fc.nat(7),
  })
  .map(({ number, more, exponent }) => {
    const value = Buffer.alloc(3);
    value.writeUIntBE(number * 16 + (more ? 8 : 0) + exponent, 0, 3);
    return value[0] !== 0 ? value : value[1] !== 0 ? value.subarray(1) : value.subarray(2);
  });

/** The paths that the handler of the test has something behind. */
export const PATHS = ['quick', 'prompt', 'slow', 'never', 'long', 'fails', 'watch', 'key'] as const;

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PATHS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 300 }) },
);

const sensibleOptions = fc
  .tuple(
    fc.array(textOption(URI_PATH, segment), { minLength: 1, maxLength: 3 }),
    fc.array(textOption(URI_QUERY, fc.string({ maxLength: 20 })), { maxLength: 2 }),
    fc.option(observe.map((value) => ({ number: OBSERVE, value }))),
    fc.option(
      blockValue.map((value) => ({ number: BLOCK1, value })),
      { freq: 2 },
    ),
    fc.option(
      blockValue.map((value) => ({ number: BLOCK2, value })),
      { freq: 2 },
    ),
    fc.option(anyLength(CONTENT_FORMAT, 3), { freq: 3 }),
    fc.option(anyLength(ACCEPT, 3), { freq: 3 }),
    fc.option(anyLength(SIZE1, 5), { freq: 3 }),
  )
  .map(([path, query, ...single]) => [...path, ...query, ...single.filter((option) => option !== null)]);

/** Any number up to the largest an option can have, and up to more values than a datagram may hold. */
const wildOptions = fc.array(
  fc.record({
    number: fc.oneof(fc.nat(70), fc.nat(65_804)),
    value: bytes({ maxLength: 40 }),
  }),
  { maxLength: 60, size: 'max' },
);

const token = bytes({ maxLength: 8 });
const payload = fc.oneof(bytes({ maxLength: 40 }), fc.constantFrom(16, 64, 1024).map(fillerOf));
/** All requests there are, and the rest of the codes less often. */
const anyCode = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 7 }) }, fc.nat(255));

function fillerOf(length: number): Buffer {
  return Buffer.alloc(length, 0x61);
}

/** Any message that can be written down, of every type and code. */
const wellFormed: fc.Arbitrary<WrittenMessage> = fc.record({
  type: fc.oneof({ weight: 4, arbitrary: fc.nat(1) }, fc.nat(3)),
  code: anyCode,
  // Few, so that duplicates and other tokens under the same id happen.
  messageId: fc.oneof(fc.nat(4), fc.nat(0xffff)),
  token,
  options: fc.oneof({ weight: 3, arbitrary: sensibleOptions }, wildOptions),
  payload,
});

/** A request as a device would send it. */
export const soundRequest: fc.Arbitrary<WrittenMessage> = fc.record({
  type: fc.nat(1),
  code: fc.integer({ min: 1, max: 7 }),
  messageId: fc.nat(0xffff),
  token,
  options: fc
    .tuple(
      fc.array(textOption(URI_PATH, fc.string({ minLength: 1, maxLength: 60 })), { maxLength: 20 }),
      fc.array(textOption(URI_QUERY, fc.string({ maxLength: 60 })), { maxLength: 5 }),
    )
    .map(([path, query]) => [...path, ...query]),
  payload: bytes({ maxLength: 40 }),
});

/** Short requests to what there is, with one option that changes what they lead to, or none. */
const plainRequest: fc.Arbitrary<WrittenMessage> = fc
  .record({
    type: fc.nat(1),
    code: fc.constantFrom(1, 1, 2),
    messageId: fc.nat(30),
    token: fc.oneof(fc.constantFrom(Buffer.alloc(0), Buffer.from([7])), token),
    path: fc
      .tuple(fc.boolean(), fc.constantFrom(...PATHS))
      .map(([known, name]): string[] => (known ? ['key', name] : [name])),
    option: fc.oneof(
      { weight: 3, arbitrary: fc.constant(null) },
      { weight: 3, arbitrary: observe.map((value) => ({ number: OBSERVE, value })) },
      { weight: 2, arbitrary: blockValue.map((value) => ({ number: BLOCK1, value })) },
      { weight: 2, arbitrary: blockValue.map((value) => ({ number: BLOCK2, value })) },
    ),
    payload,
  })
  .map(({ path, option, ...message }) => ({
    ...message,
    options: [
      ...path.map((name) => ({ number: URI_PATH, value: Buffer.from(name) })),
      ...(option === null ? [] : [option]),
    ],
  }));

/** A registration by somebody with credentials, under one of a few tokens. */
const registration: fc.Arbitrary<WrittenMessage> = fc
  .record({ type: fc.nat(1), messageId: fc.nat(0xffff), token: fc.nat(9), observe: fc.constantFrom([], [], [], [1]) })
  .map(({ token: name, observe: value, ...message }) => ({
    ...message,
    code: 1,
    token: Buffer.from([name]),
    options: [
      { number: OBSERVE, value: Buffer.from(value) },
      { number: URI_PATH, value: Buffer.from('key') },
      { number: URI_PATH, value: Buffer.from('watch') },
    ],
    payload: Buffer.alloc(0),
  }));

/** Pings, and acknowledgements and Resets of nothing. */
const empty: fc.Arbitrary<WrittenMessage> = fc.record({
  type: fc.nat(3),
  code: fc.constant(0),
  messageId: fc.nat(0xffff),
  token: fc.constant(Buffer.alloc(0)),
  options: fc.constant([]),
  payload: fc.constant(Buffer.alloc(0)),
});

/** The beginning of a body in blocks of 256 bytes: whole, short of its end, or with a block left out. */
export const upload: fc.Arbitrary<Buffer[]> = fc
  .record({
    path: fc.constantFrom('key', 'prompt', 'slow'),
    blocks: fc.integer({ min: 1, max: 18 }),
    last: fc.integer({ min: 1, max: 19 }),
    missing: fc.oneof(fc.constant(-1), fc.nat(17)),
    messageId: fc.nat(0xff00),
  })
  .map(({ path, blocks, last, missing, messageId }) =>
    Array.from({ length: blocks }, (_, n) =>
      write({
        type: 0,
        code: 2,
        messageId: messageId + n,
        token: Buffer.from([n]),
        options: [
          { number: URI_PATH, value: Buffer.from(path) },
          { number: BLOCK1, value: Buffer.from([n >> 4, ((n & 15) << 4) | (n + 1 === last ? 0 : 8) | 4]) },
        ],
        payload: fillerOf(256),
      }),
    ).filter((_, n) => n !== missing),
  );

const change = fc.record({
  at: fc.nat(120),
  kind: fc.constantFrom('set', 'cut', 'insert', 'remove', 'double'),
  bytes: bytes({ minLength: 1, maxLength: 8 }),
});

/** Bytes set, cut off, put in, taken out, or written twice. */
const spoilt = fc
  .tuple(wellFormed, fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([message, changes]) => changes.reduce(apply, write(message)));

function apply(datagram: Buffer, { at, kind, bytes: more }: { at: number; kind: string; bytes: Buffer }): Buffer {
  const place = Math.min(at, datagram.length);
  const before = datagram.subarray(0, place);
  switch (kind) {
    case 'set':
      return Buffer.concat([before, more, datagram.subarray(place + more.length)]);
    case 'cut':
      return before;
    case 'insert':
      return Buffer.concat([before, more, datagram.subarray(place)]);
    case 'remove':
      return Buffer.concat([before, datagram.subarray(place + more.length)]);
    default:
      return Buffer.concat([datagram, datagram.subarray(place)]);
  }
}

const garbage = fc.oneof(bytes({ maxLength: 80 }), bytes({ maxLength: 1400, size: 'max' }));

/** Whatever may come out of the Internet. */
export const anyDatagram: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: plainRequest.map(write) },
  { weight: 3, arbitrary: registration.map(write) },
  { weight: 1, arbitrary: empty.map(write) },
  { weight: 5, arbitrary: wellFormed.map(write) },
  { weight: 4, arbitrary: spoilt },
  { weight: 1, arbitrary: garbage },
);

/** A datagram that is no message, and why the guard drops it. */
export const malformed: fc.Arbitrary<{ readonly datagram: Buffer; readonly reason: string }> = soundRequest.chain(
  (message) => {
    const whole = write({ ...message, payload: Buffer.alloc(0) });
    const bare = write({ ...message, options: [], payload: Buffer.alloc(0) });
    const first = (value: number) => Buffer.concat([Buffer.from([value]), whole.subarray(1)]);
    const code = (value: number) => Buffer.concat([whole.subarray(0, 1), Buffer.from([value]), whole.subarray(2)]);
    const followed = (...more: number[]) => Buffer.concat([bare, Buffer.from(more)]);
    const head = whole[0] ?? 0;
    return fc.oneof(
      fc.nat(3).map((length) => ({ datagram: whole.subarray(0, length), reason: 'too_short' })),
      fc.constantFrom(0, 2, 3).map((version) => ({ datagram: first((head & 63) | (version << 6)), reason: 'version' })),
      fc.integer({ min: 9, max: 15 }).map((length) => ({
        datagram: first((head & 0xf0) | length),
        reason: 'token_length',
      })),
      fc.constantFrom(1, 3, 6, 7).map((codeClass) => ({ datagram: code((codeClass << 5) | 1), reason: 'code_class' })),
      fc.constant({ datagram: followed(0xb1, 0x61, 0xff), reason: 'empty_payload' }),
      fc.nat(14).map((nibble) => ({ datagram: followed(0xf0 | nibble), reason: 'reserved_option_nibble' })),
      fc.nat(14).map((nibble) => ({ datagram: followed((nibble << 4) | 15), reason: 'reserved_option_nibble' })),
      fc.integer({ min: 1, max: 12 }).map((length) => ({ datagram: followed(0xb0 | length), reason: 'truncated' })),
      fc.constantFrom([0xbd], [0xbe], [0xbe, 0], [0xbe, 0xff, 0xff], [0xd0], [0xe0, 1], [0xbd, 255, 1]).map((tail) => ({
        datagram: followed(...tail),
        reason: 'truncated',
      })),
      bytes({ minLength: 1, maxLength: 8 }).map((more) => ({
        datagram: Buffer.concat([Buffer.from([head & 0xf0, 0, 1, 2]), more]),
        reason: 'empty_with_content',
      })),
      fc.integer({ min: 1281, max: 1500 }).map((length) => ({
        datagram: Buffer.concat([followed(0xb1, 0x61, 0xff), fillerOf(length)]),
        reason: 'too_long',
      })),
    );
  },
);
