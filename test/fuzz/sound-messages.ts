import { ACK, blockValue, CON, type Message, NON, OPTION, type Option, pathOptions, RST, uint } from './message';
import type { Seeded } from './seeded';

/** What a sender knows. A stranger knows no token of a device, and guesses. */
export interface Knowledge {
  readonly tokens: readonly string[];
}

const PAYLOADS = [
  '{"temperature":21.5,"humidity":40}',
  '{"ts":1700000000000,"values":{"a":1,"b":"two","c":true,"d":{"e":[1,2]}}}',
  '[{"a":1},{"b":2}]',
  '{"a":1e999999,"b":-0.0,"c":123456789012345678901234567890}',
  '{"a":1',
  '{"a":nope,}',
  '{"method":"getTime","params":{}}',
  '"text"',
  '[]',
  '{}',
  `${'['.repeat(200)}${']'.repeat(200)}`,
  `{"${'k'.repeat(300)}":"${'v'.repeat(600)}"}`,
  '[{"bn":"dev:","bt":1700000000,"n":"t","u":"Cel","v":21.5},{"n":"t","t":-5,"v":1e400}]',
  // CBOR: a telemetry body, a SenML pack, an array of 2^32 - 1, text in chunks that never ends.
  ...['a2616118 2a6162f95140', '82a321646465763a00617402f94d60a2006162 0461', '9affffffff01', 'bf617f7f6161'].map(
    (hex) => Buffer.from(hex.replace(' ', ''), 'hex'),
  ),
] as const;

const REQUESTS = [1, 2, 2, 2, 1, 3, 4, 5, 6, 7] as const;

/** A message that can be read: mostly requests to the device API, and everything else that a device might say. */
export function soundMessage(random: Seeded, knowledge: Knowledge): Message {
  if (random.percent(6)) return noRequest(random);
  const segments = path(random, knowledge);
  const code = random.percent(85) ? random.pick([1, 2, 2]) : random.pick(REQUESTS);
  const observed = code === 1 && random.percent(45);
  return {
    type: random.percent(65) ? CON : NON,
    code,
    token: random.bytes(random.percent(60) ? 2 : random.below(9)),
    options: [...pathOptions(segments), ...options(random, observed)],
    payload: code === 1 ? Buffer.alloc(0) : payload(random),
  };
}

function path(random: Seeded, { tokens }: Knowledge): string[] {
  const known = tokens[random.below(Math.max(1, tokens.length))];
  const token = known ?? random.pick(['nobody', '', '€uro', random.word(20), random.word(200)]);
  if (known !== undefined || random.percent(60)) {
    const feature = random.pick(['telemetry', 'telemetry', 'attributes', 'attributes', 'attributes', 'rpc']);
    // Numbers for which no command waits, and now and then what stands for a command of the device's own.
    const id = feature === 'rpc' && !random.percent(10) ? [String(random.below(50))] : [];
    return ['api', 'v1', token, feature, ...id];
  }
  switch (random.below(8)) {
    case 0:
      return [];
    case 1:
      return ['.well-known', 'core'];
    case 2:
      return ['api'];
    case 3:
      return [`api/v1/${token}/telemetry`];
    case 4:
      return ['api', 'v1', token, random.pick(['claim', 'provision', 'updates', '..', '%2e%2e'])];
    case 5:
      return Array.from({ length: 3 + random.below(80) }, () => random.word(random.below(8)));
    case 6:
      return [random.word(300)];
    default:
      return ['api', 'v1', random.word(4)];
  }
}

function options(random: Seeded, observed: boolean): Option[] {
  const list: Option[] = [];
  const add = (number: number, value: Buffer) => void list.push({ number, value });
  if (observed) add(OPTION.OBSERVE, random.percent(70) ? uint(0) : uint(random.pick([1, 1, 2, 300, 0xffffff])));
  if (random.percent(8)) add(OPTION.BLOCK1, anyBlock(random));
  if (random.percent(12)) add(OPTION.BLOCK2, anyBlock(random));
  if (random.percent(15)) add(OPTION.CONTENT_FORMAT, uint(random.pick([0, 50, 42, 60, 60, 110, 112, 65_535])));
  if (random.percent(10)) add(OPTION.ACCEPT, uint(random.pick([50, 0, 60, 110, 112])));
  if (random.percent(8))
    add(OPTION.URI_QUERY, Buffer.from(random.pick(['clientKeys=a,b', 'sharedKeys=limit', 'x', ''])));
  if (random.percent(3)) add(OPTION.SIZE1, uint(random.below(0x7fffffff)));
  if (random.percent(2)) add(OPTION.ECHO, random.bytes(random.below(41)));
  if (random.percent(2)) add(OPTION.REQUEST_TAG, random.bytes(random.below(9)));
  if (random.percent(2)) add(OPTION.URI_HOST, Buffer.from(random.word(random.below(30))));
  if (random.percent(1)) add(OPTION.IF_MATCH, random.bytes(4));
  if (random.percent(1)) add(OPTION.ETAG, random.bytes(random.below(10)));
  if (random.percent(1)) add(OPTION.PROXY_URI, Buffer.from('coap://192.0.2.1/'));
  // Unknown ones, critical and elective.
  if (random.percent(3)) add(random.below(65_000), random.bytes(random.below(40)));
  return list;
}

/** Every block number and size there is, the reserved size among them. */
function anyBlock(random: Seeded): Buffer {
  const number = random.percent(60) ? random.below(12) : random.below(1 << 20);
  return random.percent(95) ? blockValue(number, random.percent(50), random.below(8)) : random.bytes(4);
}

function payload(random: Seeded): Buffer {
  if (random.percent(75)) return Buffer.from(random.pick(PAYLOADS));
  return random.percent(50) ? random.bytes(random.below(200)) : Buffer.alloc(16 << random.below(7), 0x61);
}

/** Empty messages, responses that nobody asked for, reserved codes. */
function noRequest(random: Seeded): Message {
  const bare = random.percent(60);
  return {
    type: random.pick([CON, NON, ACK, RST]),
    code: bare ? 0 : random.below(256),
    token: bare ? Buffer.alloc(0) : random.bytes(random.below(9)),
    options: [],
    payload: bare ? Buffer.alloc(0) : payload(random),
  };
}
