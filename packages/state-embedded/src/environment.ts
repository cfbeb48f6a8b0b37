import { TandemError } from '@tandem/core';
import { type Database, open, type RootDatabase } from 'lmdb';

/** A table with readable keys. */
export type Table = Database<string, string>;
/** A table keyed by a time and an id, in that order. */
export type ExpiryTable = Database<string, (string | number)[]>;
/** A table with binary keys that begin with the 16 bytes of a UUID: see keys.ts for what follows them. */
export type BinaryTable = Database<string, Buffer>;
export type LogTable = Database<string, number>;

/** All tables of the embedded store. Values are texts: JSON where nothing else is said. */
export interface Environment {
  readonly root: RootDatabase;
  /** `secret:<name>` -> base64; `consumed` -> the sequence number of the last telemetry entry in the view */
  readonly meta: Table;
  readonly tenants: Table;
  readonly users: Table;
  /** e-mail -> user id */
  readonly usersByEmail: Table;
  readonly profiles: Table;
  /** tenant + name -> profile id */
  readonly profilesByName: BinaryTable;
  /** tenant -> id of the default profile */
  readonly defaultProfiles: Table;
  readonly devices: Table;
  /** tenant + name -> device id */
  readonly devicesByName: BinaryTable;
  /** profile + device -> device id */
  readonly devicesByProfile: BinaryTable;
  /** device -> credentials */
  readonly credentials: Table;
  /** SHA-256 of the credentials id -> device id */
  readonly credentialsByHash: Table;
  /** device + scope letter + key -> `<lastUpdateTs> <value>` */
  readonly attributes: BinaryTable;
  /** device + offset -> event */
  readonly events: BinaryTable;
  /** device -> `<epoch> <head> <oldest>` */
  readonly eventHeads: Table;
  /** device -> `<epoch> <offset> <expiry>` */
  readonly cursors: Table;
  readonly rpcs: Table;
  /** device + request id -> RPC id; every RPC of the device */
  readonly rpcsByDevice: BinaryTable;
  /** device + request id -> RPC id; those the device may still get or answer */
  readonly rpcsOpen: BinaryTable;
  /** device -> next request id */
  readonly rpcCounters: Table;
  /** [expirationTime, RPC id] -> ''; what the sweeper has to look at */
  readonly rpcExpiry: ExpiryTable;
  /** sequence -> entry, see entry-codec.ts */
  readonly telemetryLog: LogTable;
  /** device + key -> `<ts> <value>` */
  readonly latest: BinaryTable;
  /** device + length of key + key + ts -> value */
  readonly history: BinaryTable;
}

export type Durability = 'process' | 'power';

/**
 * Opens the folder; in a worker thread the same folder is shared with the rest of the process.
 *
 * Both kinds of durability flush the data pages at every commit, so the file stays sound whatever happens. `power` also
 * flushes the page that names the newest commit; with `process` the system does that a little later, and a power cut
 * may undo the last moments (ADR 7). lmdb's overlapping flushes would make every commit wait for the one before it.
 */
export function openEnvironment(folder: string, durability: Durability = 'process'): Environment {
  const root = open({
    path: folder,
    maxDbs: 40,
    noMemInit: true,
    overlappingSync: false,
    noMetaSync: durability === 'process',
  });
  const table = (name: string): Table => root.openDB<string, string>({ name, encoding: 'string' });
  const binary = (name: string): BinaryTable => root.openDB({ name, encoding: 'string', keyEncoding: 'binary' });
  return {
    root,
    meta: table('meta'),
    tenants: table('tenants'),
    users: table('users'),
    usersByEmail: table('usersByEmail'),
    profiles: table('profiles'),
    profilesByName: binary('profilesByName'),
    defaultProfiles: table('defaultProfiles'),
    devices: table('devices'),
    devicesByName: binary('devicesByName'),
    devicesByProfile: binary('devicesByProfile'),
    credentials: table('credentials'),
    credentialsByHash: table('credentialsByHash'),
    attributes: binary('attributes'),
    events: binary('events'),
    eventHeads: table('eventHeads'),
    cursors: table('cursors'),
    rpcs: table('rpcs'),
    rpcsByDevice: binary('rpcsByDevice'),
    rpcsOpen: binary('rpcsOpen'),
    rpcCounters: table('rpcCounters'),
    rpcExpiry: root.openDB({ name: 'rpcExpiry', encoding: 'string' }),
    telemetryLog: root.openDB<string, number>({ name: 'telemetryLog', encoding: 'string' }),
    latest: binary('latest'),
    history: binary('history'),
  };
}

/** Closes the folder. Whoever comes later is refused here: lmdb would crash the process on a write to a closed table. */
export async function closeEnvironment(env: Environment): Promise<void> {
  const { root } = env;
  for (const table of Object.keys(env)) Object.defineProperty(env, table, { get: refuse });
  await root.close();
}

function refuse(): never {
  throw new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });
}
