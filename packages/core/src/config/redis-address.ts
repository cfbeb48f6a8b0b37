import type { Setting } from './setting';

/** Where Redis is: nodes of one server or of one Cluster, all with the same credentials. */
export interface RedisAddress {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

const DEFAULT_PORT = 6379;

/**
 * `redis[s]://[[user]:password@]host[:port][/database]`, or a comma list of these: several nodes of one Cluster. User,
 * password, database and TLS are said by the first one and hold for all.
 */
export const redisUrl = (doc: string, extra: Pick<Setting<unknown>, 'secret'>): Setting<RedisAddress | undefined> => ({
  type: 'redis or rediss URL, or a comma list of them',
  default: '',
  doc,
  parse: (value) => (value === '' ? undefined : parseAddress(value)),
  ...extra,
});

function parseAddress(value: string): RedisAddress {
  // Before anything is taken apart: an unescaped one in a password would make a part of it the host or the port.
  if (/[?#]/.test(value)) throw new Error('must not have ? or #; in a password write %3F and %23');
  const [first, ...others] = value.split(',').map((item) => item.trim());
  const url = parseNode(first ?? '');
  const nodes = [url, ...others.map((item) => parseNode(item.includes('://') ? item : `${url.protocol}//${item}`))];
  if (nodes.some(({ protocol }) => protocol !== url.protocol)) throw new Error('must not mix redis:// and rediss://');
  if (nodes.some((node) => node !== url && saysMore(node, url))) {
    throw new Error('must name user, password and database with the first node only; they hold for all');
  }
  const database = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(database)) throw new Error('must name the database as a number');
  return {
    nodes: nodes.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? DEFAULT_PORT : Number(port),
    })),
    tls: url.protocol === 'rediss:',
    username: url.username === '' ? undefined : unescaped(url.username),
    password: url.password === '' ? undefined : unescaped(url.password),
    database: Number(database),
  };
}

function parseNode(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if ((url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') || url.hostname === '' || url.port === '0') {
    throw new Error('must be redis://host:port or rediss://host:port, or a comma list of them');
  }
  return url;
}

/** Whether a later node says something of its own that the first one does not say. */
const saysMore = (node: URL, first: URL): boolean =>
  (node.username !== '' && node.username !== first.username) ||
  (node.password !== '' && node.password !== first.password) ||
  (node.pathname.length > 1 && node.pathname !== first.pathname);

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a % that escapes nothing; in a user or password write %25');
  }
}

const PREFIX = /^[A-Za-z0-9_.-]{1,64}$/;

/** Braces would move the keys of all devices to one slot of a Cluster, a colon would end the prefix. */
export const keyPrefix = (fallback: string, doc: string): Setting<string> => ({
  type: '1 to 64 letters, digits, `_`, `.` or `-`',
  default: fallback,
  doc,
  parse(value) {
    if (!PREFIX.test(value)) throw new Error('must be 1 to 64 letters, digits, _, . or -');
    return value;
  },
});
