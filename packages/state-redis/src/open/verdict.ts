import type { ServerFacts } from './facts';

export interface Demands {
  readonly durability: 'process' | 'power';
  readonly waitReplicas: number;
}

/** What is wrong with a server: `refused` nobody should run on, `warnings` whoever runs it should know. */
export interface Verdict {
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
}

const OLDEST = 7;

export function judge(facts: ServerFacts, demands: Demands): Verdict {
  const refused: string[] = [];
  const warnings: string[] = [];
  const at = `Redis at ${facts.where}`;
  for (const look of [version, eviction, persistence, replication]) look(facts, demands, at, { refused, warnings });
  return { refused, warnings };
}

type Look = (
  facts: ServerFacts,
  demands: Demands,
  at: string,
  verdict: { refused: string[]; warnings: string[] },
) => void;

const version: Look = (facts, _demands, at, { refused }) => {
  if (facts.mode === 'sentinel') {
    refused.push(`${at} is a Sentinel: name the servers themselves (REDIS_URL)`);
  } else if (facts.version === undefined) {
    refused.push(`${at} does not tell its version: Redis ${OLDEST}.0 is needed (REDIS_URL)`);
  } else if (!(Number.parseInt(facts.version, 10) >= OLDEST)) {
    refused.push(`Redis ${facts.version} at ${facts.where} is too old: ${OLDEST}.0 is needed (REDIS_URL)`);
  }
};

const eviction: Look = ({ policy, maxmemory }, _demands, at, { refused, warnings }) => {
  if (policy === 'noeviction') return;
  const cost = policy.startsWith('allkeys')
    ? 'it throws away devices and accepted telemetry when its memory is full'
    : 'it throws away what carries an expiry when its memory is full, such as the positions of devices';
  const line = `${at} has maxmemory-policy ${policy}: ${cost}; set it to noeviction`;
  if (policy.startsWith('allkeys') && maxmemory > 0) refused.push(line);
  else warnings.push(maxmemory > 0 ? line : `${line} (it has no maxmemory now, so nothing is thrown away yet)`);
};

const persistence: Look = ({ aof, fsync }, { durability }, at, { refused, warnings }) => {
  if (durability === 'power') {
    const needed = 'TANDEM_DURABILITY=power needs appendonly yes and appendfsync always';
    if (!aof) refused.push(`${at} keeps no append-only file: ${needed}`);
    else if (fsync === undefined) warnings.push(`${at} does not let appendfsync be read (CONFIG GET): ${needed}`);
    else if (fsync !== 'always') refused.push(`${at} has appendfsync ${fsync}: ${needed}`);
  } else if (!aof) {
    warnings.push(
      `${at} keeps no append-only file: when it restarts, all that came after its last snapshot is lost, ` +
        'and without a snapshot everything: devices, logins, attributes, telemetry; set appendonly yes',
    );
  }
};

const replication: Look = ({ master, replicas }, { waitReplicas }, at, { warnings }) => {
  if (!master || replicas >= waitReplicas) return;
  warnings.push(
    `${at} has ${replicas} connected replicas, and TANDEM_REDIS_WAIT_REPLICAS asks for ${waitReplicas}: ` +
      'until there are as many, no write is acknowledged',
  );
};
