import { parseArgs } from 'node:util';
import { READ_NAMES, type ReadName } from './server-api/reads';
import type { Protocol } from './servers/server-under-test';

/** What a run is about: the two doors on the embedded store, CoAP over DTLS, processes that share a Redis, the server API, or bodies alone. */
const SUBJECTS = ['doors', 'dtls', 'redis', 'server-api', 'payload'] as const;
export type Subject = (typeof SUBJECTS)[number];

const STORE_NAMES = ['embedded', 'redis'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

export interface BenchOptions {
  readonly subject: Subject;
  readonly protocols: readonly Protocol[];
  /** Of the server API. */
  readonly stores: readonly StoreName[];
  readonly reads: readonly ReadName[];
  /** Counted seconds of each server in each round. */
  readonly seconds: number;
  /** Seconds of load each server gets before the first round; not counted. */
  readonly warmup: number;
  readonly rounds: number;
  /** Seconds of full load on the gateway after the rounds; 0: no soak. */
  readonly soak: Readonly<Record<Protocol, number>>;
  readonly devices: number;
  readonly connections: number;
  readonly peers: number;
  readonly window: number;
  /** CoAP source ports of the soak. */
  readonly soakPeers: number;
  /** Idle CoAP observations whose memory is measured; 0: none. */
  readonly observations: number;
  /** Observed devices that are all written to; 0: none. */
  readonly fanout: number;
  /** Open DTLS sessions whose memory is measured; 0: none. */
  readonly sessions: number;
  /** Bind servers to core 0 and generators to core 1. */
  readonly pin: boolean;
  /** Flush the log of baseline B to disk behind each commit. */
  readonly flush: boolean;
  /** Leave the gateway out. */
  readonly baselines: boolean;
  /** Command line that starts the gateway; undefined: the one of this repository. */
  readonly gateway: string | undefined;
}

export class BadOption extends Error {
  override readonly name = 'BadOption';
}

const NUMBERS = {
  seconds: { default: 10, least: 1 },
  warmup: { default: 5, least: 1 },
  rounds: { default: 3, least: 0 },
  devices: { default: 64, least: 1 },
  connections: { default: 64, least: 1 },
  peers: { default: 512, least: 1 },
  window: { default: 128, least: 1 },
  'soak-peers': { default: 2000, least: 1 },
  observations: { default: 50_000, least: 0 },
  fanout: { default: 10_000, least: 0 },
  sessions: { default: 5_000, least: 0 },
} as const;

/** Ten minutes over CoAP: the tables of its endpoint keep some things for four. */
const SOAK_SECONDS: Readonly<Record<Protocol, number>> = { http: 180, coap: 600 };

/** Other defaults for the server API: who reads is few, what is read is much. */
const SERVER_API_NUMBERS: Partial<Record<NumberName, number>> = { devices: 100_000, connections: 16 };

/** Rounds of a tenth of a second. */
const PAYLOAD_NUMBERS: Partial<Record<NumberName, number>> = { rounds: 20 };

type NumberName = keyof typeof NUMBERS;

const DEFAULTS: Partial<Record<Subject, Partial<Record<NumberName, number>>>> = {
  'server-api': SERVER_API_NUMBERS,
  payload: PAYLOAD_NUMBERS,
};

export const USAGE = `npm run bench -- [http|coap|dtls|redis|server-api|payload] [options]      both protocols, on the embedded store, when none is named
${Object.entries(NUMBERS)
  .map(([name, { default: value }]) => `  --${`${name} <n>`.padEnd(20)}default ${value}`)
  .join('\n')}
  --soak <n>            default ${SOAK_SECONDS.coap} with CoAP, ${SOAK_SECONDS.http} with HTTP
  --pin                 servers on core 0, generators on core 1 (taskset); --no-pin is the default
  --flush               baseline B flushes its log to disk behind each commit
  --baselines           leave the gateway out
  --store <name>        server-api: only on this store, ${STORE_NAMES.join(' or ')}
  --read <name>         server-api: only this kind of read, ${READ_NAMES.join(', ')}; there server-api has
                        ${SERVER_API_NUMBERS.devices} devices and ${SERVER_API_NUMBERS.connections} connections by default
  payload               takes --rounds alone, ${PAYLOAD_NUMBERS.rounds} by default
  --gateway <command>   start this instead of the built gateway
`;

/** Reads the command line. Throws BadOption. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parse(argv);
  const subject = subjectOf(positionals);
  const defaults = DEFAULTS[subject] ?? {};
  const number = (name: NumberName): number => wholeNumber(name, values[name], defaults[name]);
  return {
    subject,
    protocols: protocolsOf(positionals),
    stores: oneOf('store', STORE_NAMES, values.store),
    reads: oneOf('read', READ_NAMES, values.read),
    seconds: number('seconds'),
    warmup: number('warmup'),
    rounds: number('rounds'),
    soak: values.soak === undefined ? SOAK_SECONDS : soakOf(values.soak),
    devices: number('devices'),
    connections: number('connections'),
    peers: number('peers'),
    window: number('window'),
    soakPeers: number('soak-peers'),
    observations: number('observations'),
    fanout: number('fanout'),
    sessions: number('sessions'),
    pin: values.pin === true && values['no-pin'] !== true,
    flush: values.flush === true,
    baselines: values.baselines === true,
    gateway: values.gateway,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        warmup: { type: 'string' },
        rounds: { type: 'string' },
        soak: { type: 'string' },
        devices: { type: 'string' },
        connections: { type: 'string' },
        peers: { type: 'string' },
        window: { type: 'string' },
        'soak-peers': { type: 'string' },
        observations: { type: 'string' },
        fanout: { type: 'string' },
        sessions: { type: 'string' },
        pin: { type: 'boolean' },
        'no-pin': { type: 'boolean' },
        flush: { type: 'boolean' },
        baselines: { type: 'boolean' },
        store: { type: 'string' },
        read: { type: 'string' },
        gateway: { type: 'string' },
      },
    });
  } catch (error) {
    throw new BadOption(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: NumberName, text: string | undefined, otherDefault: number | undefined): number {
  const { default: value, least } = NUMBERS[name];
  return text === undefined ? (otherDefault ?? value) : atLeast(least, name, text);
}

/** The one that is named, or all of them. */
function oneOf<T extends string>(name: string, all: readonly T[], text: string | undefined): readonly T[] {
  if (text === undefined) return all;
  const named = all.filter((each) => each === text);
  if (named.length === 0) throw new BadOption(`--${name} is one of ${all.join(', ')}, not '${text}'`);
  return named;
}

function atLeast(least: number, name: string, text: string): number {
  if (!/^\d{1,7}$/.test(text) || Number(text) < least) {
    throw new BadOption(`--${name} is a whole number from ${least}, not '${text}'`);
  }
  return Number(text);
}

/** A growth needs two windows of at least one sample with something between. */
function soakOf(text: string): BenchOptions['soak'] {
  const seconds = atLeast(0, 'soak', text);
  if (seconds > 0 && seconds < 3) {
    throw new BadOption(`--soak is 0 or at least 3 seconds, not '${seconds}'`);
  }
  return { http: seconds, coap: seconds };
}

/** The first word when it names no protocol. */
function subjectOf([first]: readonly string[]): Subject {
  return SUBJECTS.find((subject) => subject === first) ?? 'doors';
}

function protocolsOf(positionals: readonly string[]): Protocol[] {
  const [first, ...more] = positionals;
  if (more.length === 0 && (first === undefined || subjectOf(positionals) !== 'doors')) {
    return ['http', 'coap'];
  }
  if (more.length > 0 || (first !== 'http' && first !== 'coap')) {
    throw new BadOption(`'${positionals.join(' ')}' is neither http nor coap nor redis nor server-api nor payload`);
  }
  return [first];
}
