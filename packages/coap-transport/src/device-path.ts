/** What a device path may name (contract 2.3). */
export type Feature = 'attributes' | 'telemetry' | 'rpc' | 'claim' | 'provision' | PackageFeature;
/** What a device downloads. */
export type PackageFeature = 'firmware' | 'software';

export interface FeaturePath {
  readonly kind: 'feature';
  readonly feature: Feature;
  /** Undefined in the form without one, which stands for a device known by its certificate. */
  readonly token?: string;
  readonly requestId?: number;
}

/** A path as the device API understands it. */
export type DevicePath =
  | FeaturePath
  /** `api` alone. */
  | { readonly kind: 'api' }
  /** Under `api`, but no feature of ours. */
  | { readonly kind: 'no-feature' }
  | { readonly kind: 'root' }
  | { readonly kind: 'discovery' }
  | { readonly kind: 'foreign' };

const FEATURES: ReadonlySet<string> = new Set<Feature>([
  'attributes',
  'telemetry',
  'rpc',
  'claim',
  'provision',
  'firmware',
  'software',
]);
/** The short paths of contract 7.4. */
const PACKAGE_ROOTS: ReadonlyMap<string, PackageFeature> = new Map([
  ['fw', 'firmware'],
  ['sw', 'software'],
]);
const API: DevicePath = { kind: 'api' };
const NO_FEATURE: DevicePath = { kind: 'no-feature' };
const FOREIGN: DevicePath = { kind: 'foreign' };

/** Contract 2.3, "exact path algorithm". @param options the Uri-Path options */
export function parseDevicePath(options: readonly string[]): DevicePath {
  const [only] = options;
  // A slash within one of several options is part of a name, of a token for instance (RFC 7252 section 6.5).
  const segments = options.length === 1 && only?.includes('/') ? only.split('/').filter(Boolean) : options;
  const [root, , third, fourth, fifth] = segments;
  // What nearly all ask for comes first.
  if (root !== 'api') return besideApi(segments);
  if (segments.length === 1) return API;
  if (third === undefined) return NO_FEATURE;
  if (fourth === undefined) return feature(segments.includes('provision') ? 'provision' : third, undefined, undefined);
  if (segments.length === 4 && /^\d+$/.test(fourth)) return feature(third, undefined, fourth);
  return feature(fourth, third, fifth);
}

function besideApi(segments: readonly string[]): DevicePath {
  const [root, second] = segments;
  if (root === undefined || (root === '' && segments.length === 1)) return { kind: 'root' };
  if (root === '.well-known' && second === 'core' && segments.length === 2) return { kind: 'discovery' };
  const packages = PACKAGE_ROOTS.get(root);
  if (!packages) return FOREIGN;
  // Exactly one segment is a token; where there is any other number there is none.
  return feature(packages, segments.length === 2 ? second : undefined, undefined);
}

/** Whether both name the same feature of the same device, in whatever writing: `RPC`, or one option with slashes in it. */
export function sameDevicePath(one: readonly string[], other: readonly string[]): boolean {
  const [a, b] = [parseDevicePath(one), parseDevicePath(other)];
  return a.kind === 'feature' && b.kind === 'feature' && a.feature === b.feature && a.token === b.token;
}

function feature(name: string, token: string | undefined, id: string | undefined): DevicePath {
  const known = name.toLowerCase();
  if (!isFeature(known)) return NO_FEATURE;
  return { kind: 'feature', feature: known, token, requestId: known === 'rpc' ? requestIdOf(id) : undefined };
}

const isFeature = (name: string): name is Feature => FEATURES.has(name);

/** Not a number: the request is a client-side RPC (contract 2.3). */
function requestIdOf(id: string | undefined): number | undefined {
  return id !== undefined && /^-?\d+$/.test(id) ? Number(id) : undefined;
}
