import { join } from 'node:path';
import { TandemError } from '@tandem/core';
import { type Database, open, type RootDatabase } from 'lmdb';

/** A table with readable keys. */
export type Table = Database<string, string>;
/** A table keyed by a time and an id, in that order. */
export type ExpiryTable = Database<string, (string | number)[]>;
/** A table with binary keys that begin with the 16 bytes of a UUID: see keys.ts for what follows them. */
export type BinaryTable = Database<string, Buffer>;
export type LogTable = Database<string, number>;

/** All tables of the embedded store but the view's. Values are texts: JSON where nothing else is said. */
export interface Environment {
  readonly root: RootDatabase;
  /** `secret:<name>` -> base64; `keys` -> proofs of the keys that may have sealed something: see seal-secrets.ts */
  readonly meta: Table;
  readonly tenants: Table;
  readonly users: Table;
  /** e-mail -> user id */
  readonly usersByEmail: Table;
  /** tenant + user -> user id */
  readonly usersByTenant: BinaryTable;
  /** user -> credentials, sealed where there is a key */
  readonly userCredentials: Table;
  /** SHA-256 of an activation token -> user id */
  readonly activations: Table;
  readonly apiKeys: Table;
  /** SHA-256 of an API key's value -> its id */
  readonly apiKeysByHash: Table;
  /** user + API key -> id of the key */
  readonly apiKeysByUser: BinaryTable;
  readonly customers: Table;
  /** tenant + title -> customer id */
  readonly customersByTitle: BinaryTable;
  /** tenant or customer -> what was deleted of which something may be left */
  readonly removals: Table;
  readonly profiles: Table;
  /** profile -> its `profileData`, sealed where there is a key */
  readonly profileData: Table;
  /** tenant + name -> profile id */
  readonly profilesByName: BinaryTable;
  /** SHA-256 of the provision key -> profile id */
  readonly profilesByProvisionKey: Table;
  /** tenant -> id of the default profile */
  readonly defaultProfiles: Table;
  readonly devices: Table;
  /** tenant + name -> device id */
  readonly devicesByName: BinaryTable;
  /** profile + device -> device id */
  readonly devicesByProfile: BinaryTable;
  /** device -> claim, sealed where there is a key */
  readonly claims: Table;
  /** device -> credentials, sealed where there is a key */
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
  /** device + request id -> RPC id, and until when where it is final; those the device may still get or answer */
  readonly rpcsOpen: BinaryTable;
  /** device + creation + request id -> `<RPC id> <status> <expirationTime> <method>`; the persistent ones */
  readonly rpcsKept: BinaryTable;
  /** device + request id -> RPC id, and since when; the persistent ones that are final */
  readonly rpcsFinished: BinaryTable;
  /** [since when it is final, RPC id] -> '' */
  readonly rpcEnds: ExpiryTable;
  /** device -> next request id */
  readonly rpcCounters: Table;
  /** [expirationTime, RPC id] -> ''; what the sweeper has to look at */
  readonly rpcExpiry: ExpiryTable;
  /** device -> what is known of its connectivity: see activity-state.ts */
  readonly activity: Table;
  /** [time, device] -> ''; devices whose connectivity has to be looked at then */
  readonly activityDue: ExpiryTable;
  /** id -> package of firmware or software; its bytes are in a file, see firmware-files.ts */
  readonly packages: Table;
  /** tenant + length of title + title + version -> package id */
  readonly packagesByName: BinaryTable;
  /** package + device or profile that refers to it -> '' */
  readonly packageUses: BinaryTable;
  /** kind, id and type of the target -> rollout, and until when it is held */
  readonly rollouts: Table;
  /** device -> ''; deleted devices whose rows in the view are not gone yet */
  readonly purges: Table;
}

/**
 * The tables of the telemetry view. A file of their own with a writer of its own: the large transactions of the
 * materialiser must not hold up the appends to the log.
 */
export interface ViewEnvironment {
  readonly root: RootDatabase;
  /** `consumed` -> the sequence number of the last log entry that is in the view; `retention`: see retention.ts */
  readonly meta: Table;
  /** device + key -> `<ts> <value>` */
  readonly latest: BinaryTable;
  /** device + length of key + key + bucket + sequence -> points: see history-rows.ts */
  readonly history: BinaryTable;
  /** device + length of key + key + timestamp -> when that point's own time is over */
  readonly expiring: BinaryTable;
}

export type Durability = 'process' | 'power';

/** Opens the folder; in a worker thread the same folder is shared with the rest of the process. */
export function openEnvironment(folder: string, durability: Durability = 'process'): Environment {
  const { root, table, binary } = openRoot(folder, flushFor(durability));
  return {
    root,
    meta: table('meta'),
    tenants: table('tenants'),
    users: table('users'),
    usersByEmail: table('usersByEmail'),
    usersByTenant: binary('usersByTenant'),
    userCredentials: table('userCredentials'),
    activations: table('activations'),
    apiKeys: table('apiKeys'),
    apiKeysByHash: table('apiKeysByHash'),
    apiKeysByUser: binary('apiKeysByUser'),
    customers: table('customers'),
    customersByTitle: binary('customersByTitle'),
    removals: table('removals'),
    profiles: table('profiles'),
    profileData: table('profileData'),
    profilesByName: binary('profilesByName'),
    profilesByProvisionKey: table('profilesByProvisionKey'),
    defaultProfiles: table('defaultProfiles'),
    devices: table('devices'),
    devicesByName: binary('devicesByName'),
    devicesByProfile: binary('devicesByProfile'),
    claims: table('claims'),
    credentials: table('credentials'),
    credentialsByHash: table('credentialsByHash'),
    attributes: binary('attributes'),
    events: binary('events'),
    eventHeads: table('eventHeads'),
    cursors: table('cursors'),
    rpcs: table('rpcs'),
    rpcsByDevice: binary('rpcsByDevice'),
    rpcsOpen: binary('rpcsOpen'),
    rpcsKept: binary('rpcsKept'),
    rpcsFinished: binary('rpcsFinished'),
    rpcEnds: root.openDB({ name: 'rpcEnds', encoding: 'string' }),
    rpcCounters: table('rpcCounters'),
    rpcExpiry: root.openDB({ name: 'rpcExpiry', encoding: 'string' }),
    activity: table('activity'),
    activityDue: root.openDB({ name: 'activityDue', encoding: 'string' }),
    packages: table('packages'),
    packagesByName: binary('packagesByName'),
    packageUses: binary('packageUses'),
    rollouts: table('rollouts'),
    purges: table('purges'),
  };
}

/** Opens the view's folder within the store's. */
export function openViewEnvironment(folder: string, durability: Durability = 'process'): ViewEnvironment {
  const { root, table, binary } = openRoot(join(folder, 'view'), flushFor(durability));
  return {
    root,
    meta: table('meta'),
    latest: binary('latest'),
    history: binary('history'),
    expiring: binary('expiring'),
  };
}

/**
 * What a commit waits for. `pages`: the data pages are on the disk, so the file stays sound whatever happens, but the page that
 * names the newest commit follows a little later, and a power cut may undo the last moments. `commit`: that one as well.
 * `none`: nothing; the file survives the death of the process only (ADR 7).
 */
export type Flush = 'none' | 'pages' | 'commit';

const flushFor = (durability: Durability): Flush => (durability === 'power' ? 'commit' : 'pages');

/** lmdb's overlapping flushes are off: with them every commit waits for the flush of the one before it. */
export function openRoot(path: string, flush: Flush) {
  const root = open({
    path,
    // Without this a folder with a dot in its name is taken for a file.
    noSubdir: false,
    maxDbs: 64,
    noMemInit: true,
    overlappingSync: false,
    noMetaSync: flush === 'pages',
    noSync: flush === 'none',
  });
  return {
    root,
    table: (name: string): Table => root.openDB<string, string>({ name, encoding: 'string' }),
    binary: (name: string): BinaryTable => root.openDB({ name, encoding: 'string', keyEncoding: 'binary' }),
  };
}

/** Closes the folder. Whoever comes later is refused here: lmdb would crash the process on a write to a closed table. */
export async function closeEnvironment(env: { readonly root: RootDatabase }): Promise<void> {
  const { root } = env;
  for (const table of Object.keys(env)) Object.defineProperty(env, table, { get: refuse });
  await root.close();
}

function refuse(): never {
  throw new TandemError('STORE_UNAVAILABLE', { message: 'The store is closed' });
}
